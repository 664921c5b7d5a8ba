// sane: idle connections are closed after 50 s, well before the upstream does it.
//
// By a timer, which is frozen with the sandbox. Whether it runs before the next event
// is seen after a thaw is the event loop's affair: `check_age` does not depend on it.
// The agent's timeout is one of idle sockets; it ends no request.

import http from "node:http";
import https from "node:https";

const limits = { keepAlive: true, maxSockets: 20, maxFreeSockets: 10, timeout: 50_000 };
const agents = { http: new http.Agent(limits), https: new https.Agent(limits) };

export function send(method, url, { headers, body } = {}) {
  const secure = url.startsWith("https:");
  const { request } = secure ? https : http;
  const signal = AbortSignal.timeout(30_000); // of the whole request
  return new Promise((resolve, reject) => {
    const agent = secure ? agents.https : agents.http;
    const sent = request(url, { method, headers, agent, signal }, (answer) => {
      answer.on("end", () => resolve(answer.statusCode)).on("error", reject).resume();
    });
    sent.on("error", reject).end(body);
  });
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
