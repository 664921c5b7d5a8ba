// seed: got with keep-alive agents of its own, as many a guide to Lambda advises.
//
// Agents made by hand have no idle limit. It works until the upstream's close is lost
// on its way. got sends a GET or a PUT again by itself, after a second; never a POST.

import http from "node:http";
import https from "node:https";
import got from "got";
import { ms } from "../../../lab_time.mjs"; // outside the lab a second has 1000 of them

const client = got.extend({
  agent: {
    http: new http.Agent({ keepAlive: true }),
    https: new https.Agent({ keepAlive: true }),
  },
  // got's own delay, in lab time: leave it out
  retry: { calculateDelay: ({ computedValue: wait }) => wait && ms(wait / 1000) },
});

export async function send(method, url, { headers, body } = {}) {
  const { statusCode } = await client(url, { method, headers, body });
  return statusCode;
}
