/**
 * What the openings of a network say about it. Each signal has a weight; the weights run into a bucket that leaks, and a full
 * bucket is an offence (operations.md §3.1).
 */

export const SIGNALS = ['replay', 'mac', 'garbage', 'silent', 'timeout', 'flood'] as const;
export type Signal = (typeof SIGNALS)[number];

/** An old link weighs nothing: that is a customer. */
export const WEIGHTS: Readonly<Record<Signal, number>> = {
  /** An opening that was here before. */
  replay: 10,
  /** TLS of the right shape, signed with no secret of ours. */
  mac: 3,
  /** HTTP or anything else. */
  garbage: 1,
  /** Connected, and said nothing. */
  silent: 0.2,
  /** Began and did not finish. */
  timeout: 0.5,
  /** A new connection beyond the rate of its network. */
  flood: 0.2,
};

/** Weights of a network count half for so long after somebody there has proved to know a secret. */
export const IMMUNE_SECONDS = 86_400;
export const LEAK_PER_MINUTE = 1;

/** What an attack looks like whose signals are these, the heaviest together deciding. */
export const PATTERNS: Readonly<Record<Signal, string>> = {
  replay: 'replay',
  mac: 'enumeration',
  garbage: 'probe',
  silent: 'probe',
  timeout: 'slow-handshake',
  flood: 'flood',
};

export type SignalCounts = Record<Signal, number>;

/** The name of the pattern that weighs most in these counts. */
export function patternOf(counts: SignalCounts): string {
  const weights = new Map<string, number>();
  for (const signal of SIGNALS) {
    const pattern = PATTERNS[signal];
    weights.set(pattern, (weights.get(pattern) ?? 0) + counts[signal] * WEIGHTS[signal]);
  }
  return [...weights].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}
