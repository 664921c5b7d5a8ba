// default: got with nothing set, which means http.globalAgent, and no timeout.
//
// Since Node 19 that agent keeps connections, and a timer closes those that were idle
// for 5 s. got sends again what failed, up to twice, but never a POST. Here Node's and
// got's own numbers are divided by the lab's speed; outside the lab this is `got`.

import http from "node:http";
import https from "node:https";
import got from "got";
import { ms } from "../../../lab_time.mjs"; // outside the lab a second has 1000 of them

const own = ({ options }) => ({ ...options, timeout: ms(options.timeout / 1000) });
const client = got.extend({
  agent: {
    http: new http.Agent(own(http.globalAgent)),
    https: new https.Agent(own(https.globalAgent)),
  },
  retry: { calculateDelay: ({ computedValue: wait }) => wait && ms(wait / 1000) },
});

export async function send(method, url, { headers, body } = {}) {
  const { statusCode } = await client(url, { method, headers, body });
  return statusCode;
}
