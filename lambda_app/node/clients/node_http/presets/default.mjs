// default: node:http with nothing set, which means http.globalAgent.
//
// Since Node 19 it keeps connections, and closes those that were idle for 5 s; a timer
// does it, nothing is looked at when one is taken. Here Node's own number is divided by
// the lab's speed; outside the lab this is `http.request(url)`.

import http from "node:http";
import https from "node:https";

import { ms } from "../../../lab_time.mjs"; // 5 s are 5 s outside the lab

const own = ({ options }) => ({ ...options, timeout: ms(options.timeout / 1000) });
const agents = {
  http: new http.Agent(own(http.globalAgent)),
  https: new https.Agent(own(https.globalAgent)),
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
