// What runs: asked of what is installed, not of what was meant to be.

import { readFileSync } from "node:fs";

const packaged = (name) => {
  const { version } = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), "utf8"));
  return `${name} ${version}`;
};

const BUILT_IN = {
  "node-http": `node:http ${process.versions.node}`,
  fetch: `undici ${process.versions.undici}`,
};

export const versionsOf = (client) => ({
  language: `Node.js ${process.versions.node}`,
  client: BUILT_IN[client] ?? packaged(client),
  runtime_client: packaged("aws-lambda-ric"),
});
