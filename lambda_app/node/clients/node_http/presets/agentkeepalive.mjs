// agentkeepalive: the package of that name, whose agents have limits for idle sockets.
//
// Two of them: a timer closes what was idle for a minute (freeSocketTimeout), as Node's
// own agent can. socketActiveTTL, looked at when a connection is freed, ends old ones.

import http from "node:http";
import https from "node:https";

import { ms } from "../../../lab_time.mjs"; // outside the lab a second has 1000 of them
import { HttpAgent, HttpsAgent } from "agentkeepalive";

const limits = { maxSockets: 20, maxFreeSockets: 10, freeSocketTimeout: ms(60) };
const agents = {
  http: new HttpAgent({ ...limits, timeout: ms(150) }),
  https: new HttpsAgent({ ...limits, timeout: ms(150) }),
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
