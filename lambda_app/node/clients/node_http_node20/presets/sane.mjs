// sane: idle connections are closed after a minute, well before the upstream does it.
//
// By a timer, which is frozen with the sandbox. Whether it runs before the next event
// is seen after a thaw is the event loop's affair: `check_age` does not depend on it.
// The agent's timeout is one of idle sockets; it ends no request.

import http from "node:http";
import https from "node:https";

import { ms } from "../../../lab_time.mjs"; // outside the lab a second has 1000 of them

const limits = { keepAlive: true, maxSockets: 20, maxFreeSockets: 10, timeout: ms(60) };
const agents = { http: new http.Agent(limits), https: new https.Agent(limits) };

export function send(method, url, { headers, body } = {}) {
  const secure = url.startsWith("https:");
  const { request } = secure ? https : http;
  const signal = AbortSignal.timeout(ms(300)); // of the whole request
  return new Promise((resolve, reject) => {
    const agent = secure ? agents.https : agents.http;
    const sent = request(url, { method, headers, agent, signal }, (answer) => {
      answer.on("end", () => resolve(answer.statusCode)).on("error", reject).resume();
    });
    sent.on("error", reject).end(body);
  });
}
