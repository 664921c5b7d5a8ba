// default: got with nothing set, which means http.globalAgent, and no timeout.
//
// Since Node 19 that agent keeps connections, and a timer closes those that were idle
// for 5 s. got sends again what failed, up to twice, but never a POST.

import got from "got";

export async function send(method, url, { headers, body } = {}) {
  const { statusCode } = await got(url, { method, headers, body });
  return statusCode;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
