// no_keepalive: every request on a connection of its own. The diagnosis of the story.
//
// If the resets stop with this, they came from reused connections. It costs a handshake
// a request. In undici keep-alive is off when pipelining is 0: there is no option of
// that name.

void new Request("http://localhost"); // loads fetch's own Agent,
// which Node does not export; the package undici does.
const { constructor: Agent } = globalThis[Symbol.for("undici.globalDispatcher.1")];

const dispatcher = new Agent({ pipelining: 0 });

export async function send(method, url, { headers, body } = {}) {
  const answer = await fetch(url, { method, headers, body, dispatcher });
  await answer.arrayBuffer();
  return answer.status;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
