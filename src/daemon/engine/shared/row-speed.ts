import { type Cells, NONE } from './row-cells.ts';

/** A burst that a speed limit lets through, seconds of its rate. */
const BURST_MS = 500;
/** What one read costs at most. */
const LONGEST_MS = 3600_000;
/** Whether a row has a speed limit. */
export function isSlowed({ floats: { upRate, downRate } }: Cells, row: number): boolean {
  return upRate[row] !== NONE || downRate[row] !== NONE;
}

/**
 * Pay `bytes` out of a row's speed in one direction, all its connections together; returns the ms for which nothing more may
 * be read. `now` is a monotonic clock in ms that the workers share.
 */
export function pay(cells: Cells, row: number, direction: 'up' | 'down', bytes: number, now: number): number {
  const rate = cells.floats[`${direction}Rate`][row] as number;
  if (rate === NONE) return 0;
  const paid = cells.paid[direction];
  const at = Math.round(now * 1000);
  const cost = Math.round(Math.min(LONGEST_MS, bytes / rate) * 1000);
  for (;;) {
    const before = Atomics.load(paid, row);
    // What was not used of the past is lost, but for a burst.
    const next = Math.max(Number(before), at - BURST_MS * 1000) + cost;
    if (Atomics.compareExchange(paid, row, before, BigInt(next)) === before) return Math.max(0, (next - at) / 1000);
  }
}
