// The function's clocks, which a laboratory lets jump, and the journal's, which does not.

import { openSync, readSync } from "node:fs";

// The clock page (lambda_app/shims/time/shared.h): how far the laboratory has moved the function's clocks on.
const OFFSET = { position: 16, length: 8 }; // nanoseconds that are added to CLOCK_MONOTONIC
const ATTACHED = { position: 64, length: 4 }; // processes whose clocks the page moves

const path = process.env.THAWLAB_CLOCK;
const page = path ? openSync(path) : null;
const bytes = Buffer.alloc(OFFSET.length);
const read = (where) => readSync(page, bytes, 0, where.length, where.position);

// A program that took no notice of the page has the machine's clock.
const jumps = page !== null && read(ATTACHED) && bytes.readUInt32LE() > 0;

function offset() {
  if (!jumps) return 0n;
  read(OFFSET);
  return bytes.readBigInt64LE();
}

// Seconds of CLOCK_MONOTONIC as the machine has it.
export function now() {
  for (let before = offset(); ; ) {
    const seen = process.hrtime.bigint();
    const after = offset();
    if (after === before) return Number(seen - after) / 1e9;
    before = after; // a jump came between
  }
}

// Both clocks as the function sees them, in seconds.
export const clocks = () => ({ monotonic: Number(process.hrtime.bigint()) / 1e9, wall: Date.now() / 1e3 });
