// retry: got's own retry for POST too, with an idempotency key.
//
// By itself it leaves POST alone; a key makes it safe where the server knows keys. It
// waits a second before it tries again, twice as long before the next try. One that
// finds nobody's answer is over after a minute: a timeout is retried as well.

import { randomUUID } from "node:crypto";
import http from "node:http";
import https from "node:https";
import got from "got";

const client = got.extend({
  agent: {
    http: new http.Agent({ keepAlive: true }),
    https: new https.Agent({ keepAlive: true }),
  },
  timeout: { request: 60_000 }, // of each try
  retry: { methods: ["GET", "PUT", "HEAD", "DELETE", "OPTIONS", "TRACE", "POST"] },
});

export async function send(method, url, { headers, body } = {}) {
  const keyed = { "Idempotency-Key": randomUUID(), ...headers };
  const { statusCode } = await client(url, { method, headers: keyed, body });
  return statusCode;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
