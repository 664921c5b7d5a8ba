// close_after: no connection survives the handler. Call `finish` last.
//
// It must be done before the handler returns: the runtime asks for the next event then,
// and the sandbox may be frozen. An agent that was closed cannot be used again.

void new Request("http://localhost"); // loads fetch's own Agent,
// which Node does not export; the package undici does.
const { constructor: Agent } = globalThis[Symbol.for("undici.globalDispatcher.1")];

const forever = { keepAliveTimeout: 2 ** 31 - 1 };
let dispatcher = new Agent(forever);

export async function send(method, url, { headers, body } = {}) {
  const answer = await fetch(url, { method, headers, body, dispatcher });
  await answer.arrayBuffer();
  return answer.status;
}

export async function finish() {
  const closing = dispatcher;
  dispatcher = new Agent(forever);
  await closing.close();
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
  await finish();
}
