// What presets and pages say of the libraries: a release that changes it shows here.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { createRequire } from "node:module";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Bundled, OK, homeOf, made, packageRuns, upstream } from "./support.mjs";

const require = createRequire(homeOf("undici"));

const hidden = (object, name) =>
  object[Object.getOwnPropertySymbols(object).find(({ description }) => description === name)];

// A client as an agent makes it, to read its limits.
function clientOf(agent) {
  const origin = "http://127.0.0.1:1";
  const pool = hidden(agent, "factory")(origin, hidden(agent, "options"));
  return hidden(pool, "factory")(origin, { ...hidden(pool, "options") });
}

function assertLimits(agent) {
  const client = clientOf(agent);
  assert.equal(hidden(client, "headers timeout"), 300e3);
  assert.equal(hidden(client, "body timeout"), 300e3);
  assert.equal(hidden(client, "default keep alive timeout"), 4e3);
}

test("http.globalAgent keeps connections for 5 s, an agent by hand for ever", () => {
  assert.equal(http.globalAgent.keepAlive, true);
  assert.equal(http.globalAgent.options.timeout, 5000);
  assert.equal(new http.Agent({ keepAlive: true }).options.timeout, undefined);
});

test("node:http has an idle connection probed after a second", async (t) => {
  const url = await upstream(t, (socket) => socket.write(OK));
  const asked = [];
  const agent = new http.Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const request = http.get(url, { agent });
  request.once("socket", (socket) => {
    const set = socket.setKeepAlive;
    socket.setKeepAlive = (...about) => (asked.push(about), set.apply(socket, about));
  });
  const [answer] = await once(request, "response");
  await once(answer.resume(), "end");
  await sleep(20);
  assert.deepEqual(asked.at(-1), [true, 1000]);
});

test("the undici within Node: 4 s idle, 300 s for an answer", () => assertLimits(new Bundled()));

test("the package's undici: the same", { skip: !packageRuns }, () => {
  const { Agent } = require("undici");
  assertLimits(new Agent());
});

// As after a freeze that interrupted no wait: the limit is over, its timer has not run, and a request is made.
async function connectionsAcrossABusyLoop(t, dispatcher, send) {
  t.after(() => dispatcher.destroy());
  const ports = new Set();
  const url = await upstream(t, (socket) => {
    ports.add(socket.remotePort);
    socket.write(OK);
  });
  await send(url, { dispatcher });
  await sleep(20); // the connection is back in its pool
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200); // nothing of the loop runs
  await send(url, { dispatcher });
  return ports.size;
}

test("the undici within Node looks at no age when it takes a connection", async (t) => {
  const send = async (url, options) => (await fetch(url, options)).text();
  assert.equal(await connectionsAcrossABusyLoop(t, new Bundled({ keepAliveTimeout: 100 }), send), 1);
});

test("undici 8 does", { skip: !packageRuns }, async (t) => {
  const { Agent, request } = require("undici");
  const send = async (url, options) => (await request(url, options)).body.text();
  assert.equal(await connectionsAcrossABusyLoop(t, new Agent({ keepAliveTimeout: 100 }), send), 2);
});

test("got sends a GET again by itself, and never a POST", async (t) => {
  const url = await upstream(t, (socket, n) => (n % 2 ? socket.resetAndDestroy() : socket.write(OK)));
  const post = await made(url, "got");
  assert.deepEqual([post.outcome, post.attempts.length], ["reset", 1]);
  await made(url, "got"); // the second: answered
  const get = await made(url, "got", "seed", { method: "GET" });
  assert.deepEqual([get.outcome, get.attempts.map(({ reused }) => reused)], ["ok", [true, false]]);
});
