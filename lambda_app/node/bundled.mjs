// The Agent of the undici that is inside Node: fetch is made of it, and Node does not export it. Users import the same
// class from the npm package `undici`, in the major that their Node has within.

void new Request("http://localhost"); // Node loads it when it is first needed

export const { constructor: Agent } = globalThis[Symbol.for("undici.globalDispatcher.1")];
