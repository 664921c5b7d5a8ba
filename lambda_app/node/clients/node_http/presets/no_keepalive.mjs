// no_keepalive: every request on a connection of its own. The diagnosis of the story.
//
// If the resets stop with this, they came from reused connections. It costs a handshake
// a request.

import http from "node:http";
import https from "node:https";

const agents = {
  http: new http.Agent({ keepAlive: false }),
  https: new https.Agent({ keepAlive: false }),
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
