// Lab time: a scenario's six minutes pass in seconds, and a preset's limits shrink with them.

const SPEED = Number(process.env.THAWLAB_SPEED ?? 1); // lab seconds in a real second; 1 outside the laboratory

// The real milliseconds, whole ones, that `seconds` of lab time take: outside the laboratory, a thousand each.
export const ms = (seconds) => Math.max(1, Math.round((seconds * 1000) / SPEED));
