// The built function, and upstreams of a few bytes.

import { once } from "node:events";
import net from "node:net";

const FUNCTION = process.env.FUNCTION; // the folder that the function was built into

export const packageRuns = Number(process.versions.node.split(".")[0]) >= 22; // the package undici, from 8 on

export const part = (name) => import(`${FUNCTION}/${name}`);

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
  const { Call } = await part("call.mjs");
  const { send } = await part(`presets/${client}/${preset}.mjs`);
  const call = new Call(request, url);
  await call.make(send);
  return call.told();
}
