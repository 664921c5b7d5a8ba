// default: axios with nothing set, which means http.globalAgent, and no timeout.
//
// Since Node 19 that agent keeps connections, and a timer closes those that were idle
// for 5 s. axios sends nothing again by itself.

import axios from "axios";

export async function send(method, url, { headers, body } = {}) {
  const { status } = await axios.request({ method, url, headers, data: body });
  return status;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
