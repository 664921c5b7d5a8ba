// close_after: no connection survives the handler. Call `finish` last.
//
// It must be done before the handler returns: the runtime asks for the next event then,
// and the sandbox may be frozen. An agent that was destroyed can be used again.

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

export function finish() {
  agents.http.destroy(); // closes the connections that are in use, too
  agents.https.destroy();
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
  finish();
}
