import { backOffMs } from '../../../lib/system/back-off.ts';

/** What is known of one address of a DC. Pure: time (monotonic ms, above 0) and randomness are passed in. */

export const BREAKER_STATES = ['closed', 'open', 'half-open'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

export interface Breaker {
  state: BreakerState;
  /** Failures in a row. */
  failures: number;
  /** How often it opened, ever. */
  opens: number;
  /** How often it opened since it was closed: decides the back-off. */
  streak: number;
  /** When somebody may try the address out; while somebody does, when that trial counts as lost. 0 where all is well. */
  until: number;
}

/** Failures in a row that open a breaker. One is enough to be tried after the other addresses. */
const OPEN_AFTER = 3;

export function isHealthy({ until }: Breaker): boolean {
  return until === 0;
}

/** Take the one trial that an ailing address gets after its back-off; null when there is none to be had. */
export function claim(breaker: Breaker, now: number, leaseMs: number): Breaker | null {
  if (isHealthy(breaker) || now < breaker.until) return null;
  return { ...breaker, state: breaker.state === 'closed' ? 'closed' : 'half-open', until: now + leaseMs };
}

/** The trial was given up without a result: it is to be had again. */
export function release(breaker: Breaker, now: number): Breaker {
  if (isHealthy(breaker)) return breaker;
  return { ...breaker, state: breaker.state === 'closed' ? 'closed' : 'open', until: now };
}

/** The address keeps somebody waiting: others come first until it was tried out. */
export function doubt(breaker: Breaker, now: number): Breaker {
  return isHealthy(breaker) ? { ...breaker, until: now } : breaker;
}

export function succeed(breaker: Breaker): Breaker {
  return { ...breaker, state: 'closed', failures: 0, streak: 0, until: 0 };
}

/** A failed connect; `trial` when it was the claimed one. `jitter` is a number in [0, 1). */
export function fail(breaker: Breaker, now: number, jitter: number, trial: boolean): Breaker {
  const failures = breaker.failures + 1;
  if (breaker.state === 'closed' && failures < OPEN_AFTER) {
    return { ...breaker, failures, until: now + backOffMs(failures, jitter) };
  }
  // Of an open one only the trial decides; stragglers must not put it off for ever.
  if (breaker.state !== 'closed' && !trial) return { ...breaker, failures };
  const streak = breaker.streak + 1;
  return { state: 'open', failures, opens: breaker.opens + 1, streak, until: now + backOffMs(streak, jitter) };
}
