// seed: an agent with keepAlive and nothing else, for the sandbox's whole life.
//
// Made by hand it has no idle limit: http.globalAgent's 5 s are not every agent's.
// It works until the upstream's close is lost on its way.

import http from "node:http";
import https from "node:https";

const agents = {
  http: new http.Agent({ keepAlive: true }),
  https: new https.Agent({ keepAlive: true }),
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
