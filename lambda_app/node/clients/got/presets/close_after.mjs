// close_after: no connection survives the handler. Call `finish` last.
//
// It must be done before the handler returns: the runtime asks for the next event then,
// and the sandbox may be frozen. An agent that was destroyed can be used again.

import http from "node:http";
import https from "node:https";
import got from "got";
import { ms } from "../../../lab_time.mjs"; // outside the lab a second has 1000 of them

const agent = {
  http: new http.Agent({ keepAlive: true }),
  https: new https.Agent({ keepAlive: true }),
};
const client = got.extend({
  agent,
  // got's own delay, in lab time: leave it out
  retry: { calculateDelay: ({ computedValue: wait }) => wait && ms(wait / 1000) },
});

export async function send(method, url, { headers, body } = {}) {
  const { statusCode } = await client(url, { method, headers, body });
  return statusCode;
}

export function finish() {
  agent.http.destroy();
  agent.https.destroy();
}
