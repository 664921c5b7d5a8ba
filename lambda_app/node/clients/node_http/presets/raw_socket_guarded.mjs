// raw_socket_guarded: raw_socket, with a listener for the errors of its sockets.
//
// A reset that arrives between two requests costs the socket and nothing else. That the
// listener drops it is enough: a socket that ended is not taken again.

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
  const servername = net.isIP(hostname) ? "" : hostname;
  const made =
    protocol === "http:"
      ? net.connect(port || 80, hostname)
      : tls.connect(port || 443, hostname, { servername });
  return made.on("error", () => made.destroy()); // for as long as the socket lives
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
