// seed: axios with keep-alive agents of its own, as many a guide to Lambda advises.
//
// Agents made by hand have no idle limit. It works until the upstream's close is lost
// on its way. axios sends nothing again by itself.

import http from "node:http";
import https from "node:https";
import axios from "axios";

const client = axios.create({
  httpAgent: new http.Agent({ keepAlive: true }),
  httpsAgent: new https.Agent({ keepAlive: true }),
});

export async function send(method, url, { headers, body } = {}) {
  const { status } = await client.request({ method, url, headers, data: body });
  return status;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
