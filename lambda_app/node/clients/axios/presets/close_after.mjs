// close_after: no connection survives the handler. Call `finish` last.
//
// It must be done before the handler returns: the runtime asks for the next event then,
// and the sandbox may be frozen. An agent that was destroyed can be used again.

import http from "node:http";
import https from "node:https";
import axios from "axios";

const httpAgent = new http.Agent({ keepAlive: true });
const httpsAgent = new https.Agent({ keepAlive: true });
const client = axios.create({ httpAgent, httpsAgent });

export async function send(method, url, { headers, body } = {}) {
  const { status } = await client.request({ method, url, headers, data: body });
  return status;
}

export function finish() {
  httpAgent.destroy();
  httpsAgent.destroy();
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
  finish();
}
