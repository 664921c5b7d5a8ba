// no_keepalive: every request on a connection of its own. The diagnosis of the story.
//
// If the resets stop with this, they came from reused connections. It costs a handshake
// a request. In undici keep-alive is off when pipelining is 0: there is no option of
// that name.

import { Agent } from "../../../bundled.mjs"; // in your code: from "undici"

const dispatcher = new Agent({ pipelining: 0 });

export async function send(method, url, { headers, body } = {}) {
  const answer = await fetch(url, { method, headers, body, dispatcher });
  await answer.arrayBuffer();
  return answer.status;
}
