// seed: got with keep-alive agents of its own, as many a guide to Lambda advises.
//
// Agents made by hand have no idle limit. It works until the upstream's close is lost
// on its way. got sends a GET or a PUT again by itself, after a second; never a POST.

import http from "node:http";
import https from "node:https";
import got from "got";

const client = got.extend({
  agent: {
    http: new http.Agent({ keepAlive: true }),
    https: new https.Agent({ keepAlive: true }),
  },
});

export async function send(method, url, { headers, body } = {}) {
  const { statusCode } = await client(url, { method, headers, body });
  return statusCode;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
