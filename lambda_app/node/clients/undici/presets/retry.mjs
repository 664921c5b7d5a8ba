// retry: undici's RetryAgent, which sends again what failed, with an idempotency key.
//
// By itself it leaves POST alone; a key makes it safe where the server knows keys. It
// waits half a second before it tries again, twice as long before each further try.

import { randomUUID } from "node:crypto";
import { Agent, RetryAgent, request } from "undici";

const dispatcher = new RetryAgent(new Agent({ keepAliveTimeout: 2 ** 31 - 1 }), {
  methods: ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "POST"],
  throwOnError: false, // an answer is an answer, also after the last try
});

export async function send(method, url, { headers, body } = {}) {
  const keyed = { "Idempotency-Key": randomUUID(), ...headers };
  const answer = await request(url, { method, headers: keyed, body, dispatcher });
  await answer.body.arrayBuffer();
  return answer.statusCode;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
