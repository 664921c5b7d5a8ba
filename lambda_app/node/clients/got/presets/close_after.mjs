// close_after: no connection survives the handler. Call `finish` last.
//
// It must be done before the handler returns: the runtime asks for the next event then,
// and the sandbox may be frozen. An agent that was destroyed can be used again.

import http from "node:http";
import https from "node:https";
import got from "got";

const agent = {
  http: new http.Agent({ keepAlive: true }),
  https: new https.Agent({ keepAlive: true }),
};
const client = got.extend({
  agent,
});

export async function send(method, url, { headers, body } = {}) {
  const { statusCode } = await client(url, { method, headers, body });
  return statusCode;
}

export function finish() {
  agent.http.destroy();
  agent.https.destroy();
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
  finish();
}
