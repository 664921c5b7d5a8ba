// sane: idle connections are closed after a minute, well before the upstream does it.
//
// By a timer, which is frozen with the sandbox: neither Node 20 nor 24 looks at the age
// when it takes a connection. Limits on connections and timeouts besides.

import { Agent } from "../../../bundled.mjs"; // in your code: from "undici"
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
  const answer = await fetch(url, { method, headers, body, dispatcher, signal });
  await answer.arrayBuffer();
  return answer.status;
}
