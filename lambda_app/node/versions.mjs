// What runs: asked of what is installed, not of what was meant to be.

import { readFileSync } from "node:fs";

// A package that is installed beside a file, with its version.
export function packaged(name, beside) {
  const { version } = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, beside), "utf8"));
  return `${name} ${version}`;
}

export const versionsWith = (client) => ({
  language: `Node.js ${process.versions.node}`,
  client,
  runtime_client: packaged("aws-lambda-ric", import.meta.url),
});
