// default: node:http with nothing set, which means http.globalAgent.
//
// Since Node 19 it keeps connections, and closes those that were idle for 5 s; a timer
// does it, nothing is looked at when one is taken.

import http from "node:http";
import https from "node:https";

export function send(method, url, { headers, body } = {}) {
  const { request } = url.startsWith("https:") ? https : http;
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, (answer) => {
      answer.on("end", () => resolve(answer.statusCode)).on("error", reject).resume();
    });
    sent.on("error", reject).end(body);
  });
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
