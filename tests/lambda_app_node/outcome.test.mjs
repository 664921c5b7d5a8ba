// Outcome classes, of errors that real sockets make.

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Bundled, OK, clients, head, made, part, upstream } from "./support.mjs";

const { classify, describe, headline } = await part("outcome.mjs");

const ENDS = {
  reset: (socket) => socket.resetAndDestroy(),
  eof: (socket) => socket.end(),
  truncated: (socket) => socket.end(`${head(1000)}abc`),
};

for (const client of clients) {
  for (const [outcome, end] of Object.entries(ENDS)) {
    test(`${client}: ${outcome}, on a connection that was used before`, async (t) => {
      const url = await upstream(t, (socket, n) => (n === 1 ? socket.write(OK) : end(socket)));
      assert.equal((await made(url, client)).outcome, "ok");
      await sleep(20); // undici has a connection back a turn later
      const told = await made(url, client);
      assert.equal(told.outcome, outcome, JSON.stringify(told));
      assert.deepEqual(told.attempts.map(({ reused }) => reused), [true]);
      assert.equal(told.status, outcome === "truncated" ? 201 : null);
      assert.equal(told.chain.some(({ errno }) => errno === 104), outcome === "reset");
    });
  }
}

test("an answer that began in one try is not held against the next", async (t) => {
  const url = await upstream(t, (socket, n) => (n === 1 ? socket.end(`${head(9)}abc`) : socket.end()));
  assert.equal((await made(url, "node-http")).outcome, "truncated");
  const told = await made(url, "node-http");
  assert.deepEqual([told.outcome, told.status], ["eof", null]);
});

test("a retry tells both of its connections", async (t) => {
  const url = await upstream(t, (socket, n) => (n === 2 ? socket.resetAndDestroy() : socket.write(OK)));
  await made(url, "node-http", "retry_fresh");
  const told = await made(url, "node-http", "retry_fresh");
  assert.deepEqual([told.outcome, told.error], ["ok", null]);
  assert.deepEqual(told.attempts.map(({ reused }) => reused), [true, false]);
});

test("epipe: a write into a connection whose end had come", async (t) => {
  const server = net.createServer((socket) => socket.destroy());
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = net.connect({ port: server.address().port, host: "127.0.0.1", allowHalfOpen: true });
  client.resume();
  await once(client, "end");
  client.write("a"); // draws the reset
  await sleep(50);
  client.write("b");
  const [error] = await once(client, "error");
  assert.equal(classify(error, false), "epipe");
  assert.equal(describe(error)[0].errno, 32);
});

test("closed-locally: what the library itself had closed", async () => {
  const dispatcher = new Bundled();
  await dispatcher.close();
  await assert.rejects(fetch("http://127.0.0.1:8000", { dispatcher }), (error) => {
    assert.equal(classify(error, false), "closed-locally");
    return true;
  });
});

test("timeout: a signal's, and the kernel's", async (t) => {
  const url = await upstream(t, () => {});
  await assert.rejects(fetch(url, { signal: AbortSignal.timeout(20) }), (error) => {
    assert.equal(classify(error, false), "timeout");
    return true;
  });
  const kernels = Object.assign(new Error("read ETIMEDOUT"), { errno: -110, code: "ETIMEDOUT" });
  assert.equal(classify(kernels, false), "timeout");
});

test("a name and a message decide nothing", () => {
  const posing = Object.assign(new Error("read ECONNRESET"), { name: "TimeoutError" });
  assert.equal(classify(posing, false), "other");
});

test("the chain goes through causes and groups, and round no circle", () => {
  const inner = Object.assign(new Error("connect\n ECONNREFUSED"), { code: "ECONNREFUSED", errno: -111 });
  const group = new AggregateError([inner], "all addresses failed");
  const outer = new TypeError("fetch failed", { cause: group });
  inner.cause = outer;
  assert.equal(classify(outer, false), "refused");
  assert.deepEqual(describe(outer).map(({ type, errno }) => [type, errno]), [
    ["TypeError", null],
    ["AggregateError", null],
    ["Error", 111],
  ]);
  assert.doesNotMatch(headline(outer), /\n/);
  assert.match(headline(outer), /^TypeError: fetch failed \[cause\]: .*ECONNREFUSED$/);
});
