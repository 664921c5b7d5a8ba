// seed: an agent whose connections are kept for the sandbox's whole life.
//
// What people set to save handshakes: the longest limit that a timer can have, 24 days.
// It works until the upstream's close is lost on its way.

void new Request("http://localhost"); // loads fetch's own Agent,
// which Node does not export; the package undici does.
const { constructor: Agent } = globalThis[Symbol.for("undici.globalDispatcher.1")];

const FOREVER = 2 ** 31 - 1;
const dispatcher = new Agent({
  keepAliveTimeout: FOREVER,
  keepAliveMaxTimeout: FOREVER, // for what a server's hint asks
});

export async function send(method, url, { headers, body } = {}) {
  const answer = await fetch(url, { method, headers, body, dispatcher });
  await answer.arrayBuffer();
  return answer.status;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
