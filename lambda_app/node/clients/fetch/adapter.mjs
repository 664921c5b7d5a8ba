// fetch, a part of Node: it is the undici within.

export const version = `undici ${process.versions.undici}`;
