// raw_socket: sockets kept by hand, without a listener for their errors. The crash.
//
// Between two requests nobody listens to them. A reset that arrives then is an uncaught
// `error` event, which ends the process: no request failed, the sandbox is gone.
// http.Agent listens on its idle sockets; many hand-written pools do not.

import http from "node:http";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";

const idle = [];

function take({ protocol, hostname, port }) {
  let socket;
  do socket = idle.pop();
  while (socket?.destroyed);
  if (socket) return socket;
  if (protocol === "http:") return net.connect(port || 80, hostname);
  const servername = net.isIP(hostname) ? "" : hostname;
  return tls.connect(port || 443, hostname, { servername });
}

export function send(method, url, { headers, body } = {}) {
  const { request } = url.startsWith("https:") ? https : http;
  const socket = take(new URL(url));
  return new Promise((resolve, reject) => {
    const options = {
      method,
      headers: { Connection: "keep-alive", ...headers },
      createConnection: () => socket,
    };
    const sent = request(url, options, (answer) => {
      answer.on("end", () => resolve(answer.statusCode)).on("error", reject).resume();
    });
    socket.once("free", () => idle.push(socket)); // the answer was read to its end
    sent.on("error", reject).end(body);
  });
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
  for (const socket of idle) socket.destroy(); // or the process waits for them
}
