// sane: idle connections are closed after a minute, well before the upstream does it.
//
// By a timer, and from undici 8.13 on by the clock when one is taken: a freeze does not
// get in the way. Limits on connections and timeouts besides.

import { Agent, request } from "undici";
import { ms } from "../../../lab_time.mjs"; // outside the lab a second has 1000 of them

const dispatcher = new Agent({
  connections: 10,
  keepAliveTimeout: ms(60),
  keepAliveMaxTimeout: ms(60), // for what a server's hint asks
  headersTimeout: ms(150),
  bodyTimeout: ms(150),
  connect: { timeout: ms(150) },
});

export async function send(method, url, { headers, body } = {}) {
  const signal = AbortSignal.timeout(ms(300)); // of the whole request
  const answer = await request(url, { method, headers, body, dispatcher, signal });
  await answer.body.arrayBuffer();
  return answer.statusCode;
}
