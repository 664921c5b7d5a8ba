// default: axios with nothing set, which means http.globalAgent, and no timeout.
//
// Since Node 19 that agent keeps connections, and a timer closes those that were idle
// for 5 s. Here Node's own number is divided by the lab's speed; outside the lab this
// is `axios.create()`.

import http from "node:http";
import https from "node:https";
import axios from "axios";
import { ms } from "../../../lab_time.mjs"; // outside the lab a second has 1000 of them

const own = ({ options }) => ({ ...options, timeout: ms(options.timeout / 1000) });
const client = axios.create({
  httpAgent: new http.Agent(own(http.globalAgent)),
  httpsAgent: new https.Agent(own(https.globalAgent)),
});

export async function send(method, url, { headers, body } = {}) {
  const { status } = await client.request({ method, url, headers, data: body });
  return status;
}
