// default: fetch with nothing set.
//
// Node makes fetch of undici, whose pool closes what was idle for 4 s, or for what the
// server's Keep-Alive hint says, less 2 s. A timer does it. It waits 300 s for the head
// of an answer, and as long between two parts of its body.

export async function send(method, url, { headers, body } = {}) {
  const answer = await fetch(url, { method, headers, body });
  await answer.arrayBuffer();
  return answer.status;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await send("GET", process.argv[2]), await send("GET", process.argv[2]));
}
