// sane: idle connections are closed after a minute, well before the upstream does it.
//
// By the agent's timer, which is frozen with the sandbox. Whether it runs before the
// next event is seen after a thaw is the event loop's affair. Each try is bounded by
// got's own timeout; by default there is none.

import http from "node:http";
import https from "node:https";
import got from "got";
import { ms } from "../../../lab_time.mjs"; // outside the lab a second has 1000 of them

const limits = { keepAlive: true, maxSockets: 20, maxFreeSockets: 10, timeout: ms(60) };
const client = got.extend({
  agent: { http: new http.Agent(limits), https: new https.Agent(limits) },
  timeout: { request: ms(300) },
  // got's own delay, in lab time: leave it out
  retry: { calculateDelay: ({ computedValue: wait }) => wait && ms(wait / 1000) },
});

export async function send(method, url, { headers, body } = {}) {
  const { statusCode } = await client(url, { method, headers, body });
  return statusCode;
}
