// check_age: like sane, but the age is looked at when a connection is needed.
//
// Node's Agent has no such check, so it is made before each request: what was idle for
// 50 s by the wall clock is closed. No timer has to run for it, so a freeze does not
// get in the way.

import http from "node:http";
import https from "node:https";

const agents = {
  http: new http.Agent({ keepAlive: true }),
  https: new https.Agent({ keepAlive: true }),
};
let lastUsed = 0;

function closeOldOnes() {
  if (Date.now() - lastUsed > 50_000) {
    const pools = [agents.http.freeSockets, agents.https.freeSockets];
    for (const socket of pools.flatMap(Object.values).flat()) socket.destroy();
  }
  lastUsed = Date.now();
}

export function send(method, url, { headers, body } = {}) {
  closeOldOnes();
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
