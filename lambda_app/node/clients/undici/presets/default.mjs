// default: request with nothing set.
//
// Its pool closes what was idle for 4 s, or for what the server's Keep-Alive hint says,
// less 2 s: by a timer and, from undici 8.13 on, by the clock when one is taken. The
// 4 s are left as they are; its 300 s for an answer are divided by the lab's speed.

import { Agent, request } from "undici";
import { ms } from "../../../lab_time.mjs"; // outside the lab a second has 1000 of them

const dispatcher = new Agent({ headersTimeout: ms(300), bodyTimeout: ms(300) });

export async function send(method, url, { headers, body } = {}) {
  const answer = await request(url, { method, headers, body, dispatcher });
  await answer.body.arrayBuffer();
  return answer.statusCode;
}
