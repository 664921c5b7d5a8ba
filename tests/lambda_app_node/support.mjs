// The built functions, and upstreams of a few bytes.

import { once } from "node:events";
import net from "node:net";

const BUILT = JSON.parse(process.env.FUNCTIONS); // by client, the folder that the function was built into

export const packageRuns = Number(process.versions.node.split(".")[0]) >= 22; // the package undici, from 8 on

export const clients = Object.keys(BUILT).filter((client) => client !== "undici" || packageRuns);

// The Agent of the undici that is inside Node: fetch is made of it.
void new Request("http://localhost"); // Node loads it when it is first needed
export const { constructor: Bundled } = globalThis[Symbol.for("undici.globalDispatcher.1")];

export const part = (name, client = "node-http") => import(`${BUILT[client]}/${name}`);

export const homeOf = (client) => `${BUILT[client]}/clients/${client}/`;

// A server that does what `answer(socket, n)` does to the n-th request; one socket's requests count on.
export async function upstream(t, answer) {
  let requests = 0;
  const server = net.createServer((socket) => {
    socket.on("data", () => answer(socket, (requests += 1)));
    socket.on("error", () => {});
    t.after(() => socket.destroy());
  });
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${server.address().port}`;
}

export const head = (length) => `HTTP/1.1 201 Created\r\nContent-Length: ${length}\r\n\r\n`;
export const OK = `${head(2)}ok`;

export async function made(url, client, preset = "seed", request = {}) {
  const { Call } = await part("call.mjs", client);
  const { adapterOf, folderOf } = await part("adapter.mjs", client);
  const { send } = await import(new URL(`presets/${preset}.mjs`, folderOf(client)));
  const call = new Call(request, url, await adapterOf(client));
  await call.make(send);
  return call.told();
}
