// no_keepalive: every request on a connection of its own. The diagnosis of the story.
//
// If the resets stop with this, they came from reused connections. It costs a handshake
// a request. Before Node 19 this was what axios did by default.

import http from "node:http";
import https from "node:https";
import axios from "axios";

const client = axios.create({
  httpAgent: new http.Agent({ keepAlive: false }),
  httpsAgent: new https.Agent({ keepAlive: false }),
});

export async function send(method, url, { headers, body } = {}) {
  const { status } = await client.request({ method, url, headers, data: body });
  return status;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
