import type { Prefix } from './prefix.ts';

/**
 * What is done with connections from a network: `mask` shows them the cover whatever secret they have, `limit` does so for
 * few of them, `drop` closes them unanswered.
 */
export const VERDICTS = ['mask', 'limit', 'drop'] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Ruling {
  prefix: Prefix;
  /** Null lets the network in, within one that is not. */
  verdict: Verdict | null;
  /** Unix time in seconds at which it ends; null is never. */
  until: number | null;
}
