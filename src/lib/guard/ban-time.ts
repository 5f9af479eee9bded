/** How long a ban lasts: each one twice the last, with something added at the end so that it cannot be computed (fail2ban). */

const WEEK_MS = 7 * 86_400_000;
const JITTER = 0.1;

/** Earlier bans of a network, oldest first. Times are Unix ms; `until` is null for a ban that was for good. */
export interface EarlierBan {
  from: number;
  until: number | null;
}

/** How many bans still count: one less for every seven clean days after the last. */
export function standing(earlier: readonly EarlierBan[], now: number): number {
  const last = earlier.reduce((latest, { until }) => Math.max(latest, until ?? now), 0);
  const clean = Math.floor(Math.max(0, now - last) / WEEK_MS);
  return Math.max(0, earlier.length - clean);
}

/** Length in ms; `count` bans still stand, `random` is a number in [0, 1). The first is exact. */
export function banMs(count: number, { baseMs, mostMs }: { baseMs: number; mostMs: number }, random: number): number {
  const length = Math.min(mostMs, baseMs * 2 ** Math.min(count, 30));
  return count === 0 ? length : Math.round(length * (1 + JITTER * random));
}
