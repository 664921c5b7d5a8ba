// sane: idle connections are closed after 50 s, well before the upstream does it.
//
// By a timer, and from undici 8.13 on by the clock when one is taken: a freeze does not
// get in the way. Limits on connections and timeouts besides.

import { Agent, request } from "undici";

const dispatcher = new Agent({
  connections: 10,
  keepAliveTimeout: 50_000,
  keepAliveMaxTimeout: 50_000, // for what a server's hint asks
  headersTimeout: 30_000,
  bodyTimeout: 30_000,
  connect: { timeout: 5_000 },
});

export async function send(method, url, { headers, body } = {}) {
  const signal = AbortSignal.timeout(30_000); // of the whole request
  const answer = await request(url, { method, headers, body, dispatcher, signal });
  await answer.body.arrayBuffer();
  return answer.statusCode;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
