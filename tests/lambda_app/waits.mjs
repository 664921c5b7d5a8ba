// Clocks and waits of Node. A test starts this with the time object, moves the clocks, and hears what came of it.

import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";

const SECONDS = 60;
const MS = SECONDS * 1000;

const CLOCKS = {
  date: () => Date.now() / 1e3,
  "new date": () => new Date().getTime() / 1e3,
  hrtime: () => Number(process.hrtime.bigint()) / 1e9,
  "hrtime in parts": () => process.hrtime().reduce((seconds, nanoseconds) => seconds + nanoseconds / 1e9),
  performance: () => performance.now() / 1e3,
  uptime: () => process.uptime(),
  event: () => new Event("e").timeStamp / 1e3,
};

// A server that answers, closes no connection by itself, and gives no hint how long it keeps one.
const server = http.createServer({ keepAliveTimeout: 0 }, (request, answer) => {
  if (request.url === "/") answer.end("it"); // else never
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address();
const url = `http://127.0.0.1:${port}/`;

// Waits until the client gives up the connection that this request left in its pool.
async function unused(begins, request) {
  const connected = once(server, "connection");
  await request();
  const [socket] = await connected;
  begins();
  await once(socket, "end");
}

async function inThread(begins, source) {
  const thread = new Worker(`require("worker_threads").parentPort.postMessage("begins"); ${source}`, { eval: true });
  await once(thread, "message");
  begins();
  await once(thread, "exit");
}

// Each calls `begins` when it begins to wait, and ends when it has waited for 60 s.
const WAITS = {
  timeout: (begins) => new Promise((over) => begins(setTimeout(over, MS))),
  promise: (begins) => begins(sleep(MS)),
  interval: (begins) => new Promise((over) => begins(setInterval(over, MS))),
  abort: (begins) => begins(once(AbortSignal.timeout(MS), "abort")),
  thread: (begins) => inThread(begins, `setTimeout(() => {}, ${MS})`),
  atomics: (begins) => inThread(begins, `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${MS})`),
  child: (begins) => inThread(begins, `require("child_process").spawnSync("sleep", ["1000"], { timeout: ${MS}, env: {} })`),
  socket: async (begins) => {
    const connected = once(server, "connection");
    const socket = net.connect(port, "127.0.0.1");
    await Promise.all([connected, once(socket, "connect")]);
    await begins(once(socket.setTimeout(MS), "timeout"));
  },
  request: async (begins) => {
    const arrived = once(server, "request");
    const request = http.get(`${url}never`, { timeout: MS });
    await arrived;
    await begins(once(request, "timeout"));
  },
  agent: (begins) => {
    const agent = new http.Agent({ keepAlive: true, timeout: MS });
    return unused(begins, async () => {
      const [answer] = await once(http.get(url, { agent }), "response");
      await once(answer.resume(), "end");
    });
  },
};
// What is in Node, with a limit of its own: 4 s.
const UNDICI = { fetch: (begins) => unused(begins, async () => (await fetch(url)).text()) };

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

// Starts a wait; returns when it has begun. When it is over, it is told how far both clocks went meanwhile.
function start(name, wait) {
  return new Promise((begun) => {
    let at;
    const begins = (waiting) => {
      at = [CLOCKS.hrtime(), CLOCKS.date()];
      begun();
      return waiting;
    };
    wait(begins).then(() => say([name, CLOCKS.hrtime() - at[0], CLOCKS.date() - at[1]]));
  });
}

const [what] = process.argv.slice(2);
if (what === "waits") {
  for (const [name, wait] of Object.entries({ ...WAITS, ...UNDICI })) await start(name, wait);
  say("ready");
} else if (what === "clocks") {
  for await (const _ of createInterface({ input: process.stdin })) {
    say(Object.fromEntries(Object.entries(CLOCKS).map(([name, read]) => [name, read()])));
  }
} else if (what === "journal") {
  const { now } = await import("../../lambda_app/node/clock.mjs");
  let [most, last] = [0, now()];
  let hurried = true;
  createInterface({ input: process.stdin }).once("line", () => {
    hurried = false;
  });
  say("ready");
  while (hurried) {
    for (let i = 0; i < 1000; i++) {
      const seen = now();
      most = Math.max(most, Math.abs(seen - last));
      last = seen;
    }
    await new Promise(setImmediate);
  }
  say([most, last, CLOCKS.hrtime() - last]);
  process.exit();
} else if (what === "order") {
  const seen = [];
  for (const seconds of [30, 10, 20, 50, 40]) setTimeout(() => seen.push(seconds), seconds * 1000);
  say("ready");
  await sleep(MS);
  say(seen);
}
