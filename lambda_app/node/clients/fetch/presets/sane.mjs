// sane: idle connections are closed after 50 s, well before the upstream does it.
//
// By a timer, which is frozen with the sandbox: neither Node 20 nor 24 looks at the age
// when it takes a connection. Limits on connections and timeouts besides.

void new Request("http://localhost"); // loads fetch's own Agent,
// which Node does not export; the package undici does.
const { constructor: Agent } = globalThis[Symbol.for("undici.globalDispatcher.1")];

const dispatcher = new Agent({
  connections: 10,
  keepAliveTimeout: 50_000,
  keepAliveMaxTimeout: 50_000, // for what a server's hint asks
  headersTimeout: 30_000,
  bodyTimeout: 30_000,
  connect: { timeout: 5_000 },
});

export async function send(method, url, { headers, body } = {}) {
  const signal = AbortSignal.timeout(30_000); // of the whole request
  const answer = await fetch(url, { method, headers, body, dispatcher, signal });
  await answer.arrayBuffer();
  return answer.status;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
