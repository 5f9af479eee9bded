import type { Prefix } from '../access/prefix.ts';
import type { Verdict } from '../access/ruling.ts';
import type { SignalCounts } from './signals.ts';

/** What was seen of a network when it was banned. */
export interface Evidence {
  /** Unix ms. */
  at: number;
  score: number;
  threshold: number;
  counts: SignalCounts;
  /** Whether somebody there had proved to know a secret within a day. */
  good: boolean;
  /** Bans that still counted against it. */
  earlier: number;
}

/** A network that is or was shut out. Times are Unix ms. */
export interface Ban {
  prefix: Prefix;
  verdict: Verdict;
  reason: string;
  /** The pattern that was seen, or `by hand`. */
  rule: string;
  evidence: Evidence | null;
  /** Who did it. */
  actor: string;
  from: number;
  /** Null is until it is lifted. */
  until: number | null;
  /** When it was lifted, or another took its place. */
  ended: number | null;
}

/** A network that is never shut out. */
export interface Allowed {
  prefix: Prefix;
  reason: string;
  actor: string;
  createdAt: number;
  until: number | null;
}

/** How a network behaved within an hour. */
export interface Suspicion {
  prefix: Prefix;
  /** Unix ms of the newest signal. */
  at: number;
  /** The most points. */
  score: number;
  counts: SignalCounts;
  good: boolean;
}

/** Whether a ban speaks against its network later: the daemon made it, and nobody took it back. */
export function countsAgainst({ evidence, ended }: Pick<Ban, 'evidence' | 'ended'>): boolean {
  return evidence !== null && ended === null;
}
