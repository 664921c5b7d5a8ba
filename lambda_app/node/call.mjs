// One request of an event: how it is made, and what is reported about it.

import { randomUUID } from "node:crypto";

import { now } from "./clock.mjs";
import { unwatch, watch } from "./connections.mjs";
import { classify, describe, headline } from "./outcome.mjs";

export class Call {
  error = null;
  #status = null;
  #attempts = [];
  #started = 0;
  #ended = 0;
  #adapter;

  constructor({ id, method = "POST", path, body_bytes: size = 0, json, idempotency_key: key }, upstream, adapter) {
    this.#adapter = adapter;
    this.id = id || randomUUID();
    this.method = method;
    this.url = upstream + (path ?? (method === "POST" ? "/orders" : "/orders/any"));
    this.headers = { "X-Request-Id": this.id, ...(key && { "Idempotency-Key": key }) };
    if (json) {
      this.headers["Content-Type"] = "application/json";
      this.body = adapter.dumps(["x".repeat(size - '[""]'.length)]);
    } else this.body = size ? Buffer.alloc(size, "x") : undefined;
  }

  took(attempt) {
    this.#attempts.push(attempt);
    this.#status = null; // that of an attempt before
  }

  began(status) {
    this.#status = status;
  }

  async make(send) {
    watch(this);
    this.#started = now();
    try {
      this.#status = await send(this.method, this.url, { headers: this.headers, body: this.body });
    } catch (error) {
      const answered = this.#adapter.statusOf(error);
      if (answered >= 400) this.#status = answered;
      else this.error = error;
    }
    this.#ended = now();
    unwatch(this);
  }

  get #outcome() {
    if (this.error) return classify(this.error, this.#status !== null, this.#adapter.codes);
    return this.#status < 400 ? "ok" : "http-error";
  }

  told() {
    return {
      id: this.id,
      method: this.method,
      outcome: this.#outcome,
      status: this.#status,
      error: this.error && headline(this.error),
      chain: this.error ? describe(this.error) : [],
      attempts: this.#attempts,
      started: this.#started,
      ended: this.#ended,
    };
  }
}
