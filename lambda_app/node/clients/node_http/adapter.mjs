// node:http, a part of Node.

export const version = `node:http ${process.versions.node}`;
