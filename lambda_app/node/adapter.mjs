// What differs by client: a folder each, in which `adapter.mjs` says how that library departs from the usual.

import { existsSync } from "node:fs";

import { packaged } from "./versions.mjs";

// The usual; an adapter exports what differs.
const USUAL = {
  // A document as it is given to the library, which sends it as JSON.
  dumps: JSON.stringify,
  // The status of an answer that the library throws an error for; undefined if the error is not of that kind.
  statusOf: () => undefined,
  // Outcome classes of the library's own error codes; "ended" is `eof`, or `truncated` once an answer has begun.
  codes: {},
};

const folder = (name) => new URL(`clients/${name.replace(/[-.@]/g, "_")}/`, import.meta.url);

// The folder of a client: `fetch@node20` has one, `undici@6` has undici's.
export function folderOf(client) {
  const own = folder(client);
  return existsSync(own) ? own : folder(client.split("@")[0]);
}

// What is special to a client, such as `undici@6`, together with the version that really runs.
export async function adapterOf(client) {
  const own = await import(new URL("adapter.mjs", folderOf(client)));
  return { ...USUAL, ...own, version: own.version ?? packaged(client.split("@")[0], folderOf(client)) };
}
