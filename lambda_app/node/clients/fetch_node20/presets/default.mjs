// default: fetch with nothing set.
//
// Node makes fetch of undici, whose pool closes what was idle for 4 s, or for what the
// server's Keep-Alive hint says, less 2 s. A timer does it. The 4 s are left as they
// are; its 300 s for an answer's head and body are divided by the lab's speed.

import { Agent } from "../../../bundled.mjs"; // in your code: from "undici"
import { ms } from "../../../lab_time.mjs"; // outside the lab a second has 1000 of them

const dispatcher = new Agent({ headersTimeout: ms(300), bodyTimeout: ms(300) });

export async function send(method, url, { headers, body } = {}) {
  const answer = await fetch(url, { method, headers, body, dispatcher });
  await answer.arrayBuffer();
  return answer.status;
}
