// default: request with nothing set.
//
// Its pool closes what was idle for 4 s, or for what the server's Keep-Alive hint says,
// less 2 s: by a timer and, from undici 8.13 on, by the clock when one is taken. It
// waits 300 s for the head of an answer, and as long between two parts of its body.

import { request } from "undici";

export async function send(method, url, { headers, body } = {}) {
  const answer = await request(url, { method, headers, body });
  await answer.body.arrayBuffer();
  return answer.statusCode;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
