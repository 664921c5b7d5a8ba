// Tells which connection each request went into, without touching how the clients work: by Node's own diagnostics
// channels, for node:http (axios too) and for undici, the bundled one and the package's. A request is known by its
// X-Request-Id. This is the client's word only; verdicts rest on the upstream's view.

import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";

const calls = new Map(); // under way, by X-Request-Id
const open = new Set(); // sockets that carried a request
const used = new WeakSet();
const undiciCalls = new WeakMap(); // by undici's request object

export const watch = (call) => calls.set(call.id, call);
export const unwatch = (call) => calls.delete(call.id);

subscribe("http.client.request.start", ({ request }) => {
  const call = calls.get(request.getHeader("x-request-id"));
  if (!call) return; // the runtime client's
  request.once("response", (answer) => call.began(answer.statusCode));
  if (request.socket) take(call, request.socket);
  else request.once("socket", (socket) => take(call, socket));
});

subscribe("undici:client:sendHeaders", ({ request, headers, socket }) => {
  const call = calls.get(/^x-request-id: (.*)\r$/im.exec(headers)?.[1]);
  if (!call) return;
  undiciCalls.set(request, call);
  take(call, socket);
});

subscribe("undici:request:headers", ({ request, response }) => undiciCalls.get(request)?.began(response.statusCode));

function take(call, socket) {
  if (socket.connecting) {
    socket.once("connect", () => take(call, socket));
    return;
  }
  call.took({ local_port: socket.localPort ?? null, reused: used.has(socket) });
  used.add(socket);
  if (!open.has(socket)) {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  }
}

// Close whatever any client holds; returns when it is closed.
export async function closeAll() {
  const closing = [...open].map((socket) => once(socket, "close"));
  for (const socket of open) socket.destroy();
  await Promise.all(closing);
}
