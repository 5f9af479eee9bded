import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Breaker,
  claim,
  doubt,
  fail,
  isHealthy,
  release,
  succeed,
} from '../../../../src/daemon/engine/shared/breaker.ts';

const NEW: Breaker = { state: 'closed', failures: 0, opens: 0, streak: 0, until: 0 };

/** `count` failures at `now`. */
function failed(count: number, now = 1000): Breaker {
  return Array.from({ length: count }).reduce<Breaker>((breaker) => fail(breaker, now, 0.5, false), NEW);
}

/** The trial that `breaker` grants when its back-off is over. */
function onTrial(breaker: Breaker): Breaker {
  return claim(breaker, breaker.until, 5000) ?? NEW;
}

describe('a breaker', () => {
  test('opens at the third failure in a row', () => {
    expect([1, 2, 3].map((count) => failed(count).state)).toEqual(['closed', 'closed', 'open']);
    expect(failed(3)).toMatchObject({ failures: 3, opens: 1 });
    expect(fail(succeed(failed(2)), 1000, 0.5, false)).toMatchObject({ state: 'closed', failures: 1 });
  });

  test('is in doubt from the first failure, or when it keeps somebody waiting', () => {
    expect(isHealthy(NEW)).toBe(true);
    expect(isHealthy(failed(1))).toBe(false);
    expect(doubt(NEW, 1000)).toEqual({ ...NEW, until: 1000 });
    expect(doubt(failed(3), 9000)).toEqual(failed(3));
  });

  test('grants one trial when its time has come, and another when that one is lost', () => {
    const open = failed(3);
    expect(claim(NEW, 1000, 5000)).toBeNull();
    expect(claim(open, open.until - 1, 5000)).toBeNull();
    const trial = onTrial(open);
    expect(trial.state).toBe('half-open');
    expect(claim(trial, trial.until - 1, 5000)).toBeNull();
    expect(claim(trial, trial.until, 5000)?.state).toBe('half-open');
    const released = release(trial, 2500);
    expect(released).toMatchObject({ state: 'open', until: 2500 });
    expect(claim(released, 2500, 5000)?.state).toBe('half-open');
  });

  test('an address in doubt is tried out without being open', () => {
    const trial = onTrial(doubt(NEW, 1000));
    expect(trial).toMatchObject({ state: 'closed', until: 6000 });
    expect(succeed(trial)).toEqual(NEW);
    expect(fail(trial, 4000, 0.5, true)).toMatchObject({ state: 'closed', failures: 1 });
    expect(release(NEW, 1000)).toEqual(NEW);
  });

  test('closes by a success, and only its trial decides that it stays open', () => {
    const open = failed(3);
    expect(succeed(onTrial(open))).toMatchObject({ state: 'closed', failures: 0, streak: 0, opens: 1, until: 0 });
    expect(fail(onTrial(open), 3000, 0.5, true)).toMatchObject({ state: 'open', streak: 2, opens: 2 });
    expect(fail(onTrial(open), 3000, 0.5, false)).toEqual({ ...onTrial(open), failures: 4 });
    expect(fail(open, 9000, 0.5, false).until).toBe(open.until);
  });

  test('waits longer each time, from a second to a minute, never twice the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (turns, jitter) => {
        let breaker = failed(3, 1);
        for (let turn = 1; turn < turns; turn++) {
          const now = breaker.until;
          breaker = fail(onTrial(breaker), now, jitter, true);
          const wait = breaker.until - now;
          const base = Math.min(60_000, 1000 * 2 ** turn);
          expect(wait).toBeGreaterThanOrEqual(Math.floor(base * 0.75));
          expect(wait).toBeLessThanOrEqual(Math.min(60_000, Math.ceil(base * 1.25)));
        }
      }),
    );
    expect(fail(NEW, 0, 0, false).until).not.toBe(fail(NEW, 0, 0.9, false).until);
  });
});
