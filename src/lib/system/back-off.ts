/** How long to wait for an engine that keeps ending or an address that keeps failing: 1 s, 2 s, 4 s … 60 s, with a quarter of jitter. */

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
/** An engine that lived so long is healthy, and its next end counts as the first. */
export const HEALTHY_MS = 5 * 60_000;

/** `failures` counts them in a row, from 1; `jitter` is a number in [0, 1). */
export function backOffMs(failures: number, jitter: number): number {
  const base = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  return Math.min(LONGEST_MS, Math.round(base * (0.75 + jitter / 2)));
}
