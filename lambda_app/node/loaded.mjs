// A preset's module, together with which file it really is.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { parse } from "node:path";
import { fileURLToPath } from "node:url";

let loads = 0;

// The module as at a cold start, also if it was imported before; null if there is no such file.
export async function load(url) {
  if (!existsSync(url)) return null;
  loads += 1;
  const fresh = new URL(`${url}?${loads}`);
  return { module: await import(fresh), loaded: identity(fresh) };
}

// The name of the file that a module's URL leads to, and its SHA-256.
function identity(url) {
  const file = realpathSync(fileURLToPath(url)); // as `import` does
  return { name: parse(file).name, sha256: createHash("sha256").update(readFileSync(file)).digest("hex") };
}
