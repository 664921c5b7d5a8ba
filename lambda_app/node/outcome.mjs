// Outcome classes: what happened to a request, decided by errno and cause down the chain of errors.
//
// A code alone does not say it: Node gives ECONNRESET to an end of file too ("socket hang up", "aborted"), and only an
// error of the kernel's has an errno. undici has one code, UND_ERR_SOCKET, for all that its peer ended.

import { constants } from "node:os";

const { ECONNREFUSED, ECONNRESET, EPIPE, ETIMEDOUT } = constants.errno;

const BY_ERRNO = new Map([
  [ECONNRESET, "reset"],
  [EPIPE, "epipe"],
  [ETIMEDOUT, "timeout"],
  [ECONNREFUSED, "refused"],
]);

const BY_CODE = {
  ETIMEDOUT: "timeout", // without an errno it is the library's own, else it was met above
  ESOCKETTIMEDOUT: "timeout", // agentkeepalive
  ERR_SOCKET_TIMEOUT: "timeout",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
  UND_ERR_HEADERS_TIMEOUT: "timeout",
  UND_ERR_BODY_TIMEOUT: "timeout",
  ERR_SOCKET_CLOSED: "closed-locally",
  ERR_STREAM_DESTROYED: "closed-locally",
  UND_ERR_CLOSED: "closed-locally",
  UND_ERR_DESTROYED: "closed-locally",
};

const ENDED = new Set([
  "ECONNRESET", // without an errno
  "ERR_STREAM_PREMATURE_CLOSE",
  "HPE_INVALID_EOF_STATE",
  "UND_ERR_SOCKET",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
]);

// The error, then its causes and what an AggregateError gathers, outermost first, each once.
export function chainOf(error) {
  const seen = new Set();
  for (const waiting = [error]; waiting.length; ) {
    const link = waiting.shift();
    if (!(link instanceof Error) || seen.has(link)) continue;
    seen.add(link);
    waiting.push(link.cause, ...(link.errors ?? []));
  }
  return [...seen];
}

// The outcome class; `began` if the head of an answer had come, `own` for codes of the library's own (adapter.mjs).
export function classify(error, began, own = {}) {
  const chain = chainOf(error);
  const byErrno = chain.map((link) => BY_ERRNO.get(errnoOf(link))).find(Boolean);
  if (byErrno) return byErrno;
  if (chain.some(isTimeout)) return "timeout";
  const codes = { ...BY_CODE, ...own };
  const byCode = chain.map((link) => codes[link.code]).find((found) => found && found !== "ended");
  if (byCode) return byCode;
  const ended = chain.some((link) => ENDED.has(link.code) || codes[link.code] === "ended");
  if (ended) return began ? "truncated" : "eof";
  return "other";
}

// The chain as data.
export const describe = (error) =>
  chainOf(error).map((link) => ({ type: typeOf(link), errno: errnoOf(link), message: String(link.message) }));

// The error as a log would show it, in one line.
export const headline = (error) =>
  chainOf(error)
    .map((link) => `${typeOf(link)}: ${link.message}`.replace(/\s+/g, " ").trim())
    .join(" [cause]: ");

// Node's are negative, as libuv returns them.
const errnoOf = ({ errno }) => (typeof errno === "number" ? Math.abs(errno) : null);

// What AbortSignal.timeout aborts with; an error with a code of its own may share the name.
const isTimeout = (link) => link instanceof DOMException && link.code === DOMException.TIMEOUT_ERR;

const typeOf = (link) => link.constructor.name || link.name;
