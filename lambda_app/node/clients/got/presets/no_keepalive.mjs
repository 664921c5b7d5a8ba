// no_keepalive: every request on a connection of its own. The diagnosis of the story.
//
// If the resets stop with this, they came from reused connections. It costs a handshake
// a request. Before Node 19 this was what got did by default.

import http from "node:http";
import https from "node:https";
import got from "got";
import { ms } from "../../../lab_time.mjs"; // outside the lab a second has 1000 of them

const client = got.extend({
  agent: {
    http: new http.Agent({ keepAlive: false }),
    https: new https.Agent({ keepAlive: false }),
  },
  // got's own delay, in lab time: leave it out
  retry: { calculateDelay: ({ computedValue: wait }) => wait && ms(wait / 1000) },
});

export async function send(method, url, { headers, body } = {}) {
  const { statusCode } = await client(url, { method, headers, body });
  return statusCode;
}
