// Starts AWS's runtime client, unmodified. It finds the handler by _HANDLER and LAMBDA_TASK_ROOT, as on the platform.

import { trustUpstream } from "./trust.mjs";

trustUpstream();

// The runtime client has two ways to wait for an event. Usually it is its own native code, on a thread of its own
// (shape `loop`). With this switch of its own it is node:http, on the event loop that has the pool and its timers
// (shape `one-loop`).
if (process.env.THAWLAB_SHAPE === "one-loop") process.env.AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1 = "true";

await import("aws-lambda-ric");
