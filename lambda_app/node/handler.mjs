// The function under test: calls the upstream through a pooled client, and reports what happened.
//
// What it reads from its environment, the event and the answer are those of docs/functions.md.

import { randomUUID } from "node:crypto";

import { adapterOf, folderOf } from "./adapter.mjs";
import { Call } from "./call.mjs";
import { clocks } from "./clock.mjs";
import { closeAll } from "./connections.mjs";
import { load } from "./loaded.mjs";
import { versionsWith } from "./versions.mjs";

// An asynchronous invocation failed. Nobody gets its answer, so the message carries the report.
class RequestFailed extends Error {
  name = "RequestFailed";
}

// All of this is made once, when the sandbox is initialised, and survives from invocation to invocation.
const sandbox = randomUUID();
const client = process.env.THAWLAB_CLIENT ?? "node-http";
const adapter = await adapterOf(client);
const versions = versionsWith(adapter.version);
let invocations = 0;
let upstream = process.env.UPSTREAM_URL;
let preset = await choose(process.env.THAWLAB_PRESET ?? "seed");

async function choose(name) {
  const made = await load(new URL(`presets/${name}.mjs`, folderOf(client)));
  if (!made) throw new Error(`there is no preset ${name} for ${client}`);
  return made;
}

export async function handler(event) {
  if (event.fresh) {
    const { upstream_url: url, preset: name } = event.fresh;
    const renewed = await choose(name);
    await closeAll();
    [upstream, preset, invocations] = [url, renewed, 0];
  }
  invocations += 1;
  return serve(event);
}

async function serve(event) {
  const clock = clocks();
  const requests = event.requests?.length ? event.requests : [{}];
  const calls = requests.map((request) => new Call(request, upstream, adapter));
  const { send, finish } = preset.module;
  if (event.at_once) await Promise.all(calls.map((call) => call.make(send)));
  else for (const call of calls) await call.make(send);
  await finish?.();
  const told = {
    sandbox,
    invocation: invocations,
    cold: invocations === 1,
    ticks: [0, 0],
    clock,
    preset: preset.loaded,
    versions,
    requests: calls.map((call) => call.told()),
  };
  const failed = calls.find((call) => call.error);
  if (failed && event.on_error === "raise") throw failed.error;
  if (failed && event.on_error === "raise-record") throw new RequestFailed(JSON.stringify(told));
  return told;
}
