// retry_fresh: what Node's documentation shows, with an idempotency key.
//
// A request that failed with ECONNRESET on a connection that was used before is sent
// again, on a new one: another from the pool could be as stale. Node retries nothing by
// itself.

import { randomUUID } from "node:crypto";
import http from "node:http";
import https from "node:https";

const agents = {
  http: new http.Agent({ keepAlive: true }),
  https: new https.Agent({ keepAlive: true }),
};

function sendOnce(method, url, { headers, body, agent }) {
  const { request } = url.startsWith("https:") ? https : http;
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent }, (answer) => {
      answer.on("end", () => resolve(answer.statusCode)).on("error", reject).resume();
    });
    sent.on("error", (error) => reject(Object.assign(error, { sent }))).end(body);
  });
}

export async function send(method, url, { headers, body } = {}) {
  const options = { headers: { "Idempotency-Key": randomUUID(), ...headers }, body };
  const agent = url.startsWith("https:") ? agents.https : agents.http;
  try {
    return await sendOnce(method, url, { ...options, agent });
  } catch (error) {
    const ended = error.code === "ECONNRESET" || error.code === "EPIPE";
    if (!ended || !error.sent.reusedSocket) throw error;
    return sendOnce(method, url, { ...options, agent: false });
  }
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
