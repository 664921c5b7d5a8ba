// sane: idle connections are closed after 50 s, well before the upstream does it.
//
// By the agent's timer, which is frozen with the sandbox. Whether it runs before the
// next event is seen after a thaw is the event loop's affair. The whole request is
// bounded by a signal: axios's own `timeout` may end as "stream has been aborted".

import http from "node:http";
import https from "node:https";
import axios from "axios";

const limits = { keepAlive: true, maxSockets: 20, maxFreeSockets: 10, timeout: 50_000 };
const client = axios.create({
  httpAgent: new http.Agent(limits),
  httpsAgent: new https.Agent(limits),
});

export async function send(method, url, { headers, body } = {}) {
  const options = { headers, data: body, signal: AbortSignal.timeout(30_000) };
  const { status } = await client.request({ method, url, ...options });
  return status;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
