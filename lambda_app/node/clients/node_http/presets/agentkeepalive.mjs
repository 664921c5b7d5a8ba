// agentkeepalive: the package of that name, whose agents have limits for idle sockets.
//
// Two of them: a timer closes what was idle for 50 s (freeSocketTimeout), as Node's
// own agent can. socketActiveTTL, looked at when a connection is freed, ends old ones.

import http from "node:http";
import https from "node:https";
import { HttpAgent, HttpsAgent } from "agentkeepalive";

const limits = { maxSockets: 20, maxFreeSockets: 10, freeSocketTimeout: 50_000 };
const agents = {
  http: new HttpAgent({ ...limits, timeout: 30_000 }),
  https: new HttpsAgent({ ...limits, timeout: 30_000 }),
};

export function send(method, url, { headers, body } = {}) {
  const secure = url.startsWith("https:");
  const { request } = secure ? https : http;
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: secure ? agents.https : agents.http };
    const sent = request(url, options, (answer) => {
      answer.on("end", () => resolve(answer.statusCode)).on("error", reject).resume();
    });
    sent.on("error", reject).end(body);
  });
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
