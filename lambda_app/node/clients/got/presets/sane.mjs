// sane: idle connections are closed after 50 s, well before the upstream does it.
//
// By the agent's timer, which is frozen with the sandbox. Whether it runs before the
// next event is seen after a thaw is the event loop's affair. Each try is bounded by
// got's own timeout; by default there is none.

import http from "node:http";
import https from "node:https";
import got from "got";

const limits = { keepAlive: true, maxSockets: 20, maxFreeSockets: 10, timeout: 50_000 };
const client = got.extend({
  agent: { http: new http.Agent(limits), https: new https.Agent(limits) },
  timeout: { request: 30_000 },
});

export async function send(method, url, { headers, body } = {}) {
  const { statusCode } = await client(url, { method, headers, body });
  return statusCode;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
