import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { age, drain, retire, revoke, TOMBSTONE_MS } from '../../../src/lib/rotation/states.ts';
import { isAccepted, type SecretRecord, type SecretState } from '../../../src/lib/users/user.ts';

const DAY = 86_400_000;
const DRAIN = 3_600_000;
const secret: SecretRecord = {
  id: 's',
  state: 'active',
  createdAt: 0,
  retiringUntil: null,
  retireLimitNetworks: null,
  revokedAt: null,
  tombstoneUntil: null,
  closeReason: null,
  lastSeenAt: null,
};
const grace = { graceMs: 7 * DAY, limitNetworks: 2 };

describe('the life of a secret', () => {
  it('goes from active over retiring and draining to a tombstone, and is forgotten', () => {
    const retiring = retire(secret, grace, 1000);
    expect(retiring).toMatchObject({ state: 'retiring', retiringUntil: 1000 + 7 * DAY, retireLimitNetworks: 2 });
    expect(age(retiring, DRAIN, 1000 + 7 * DAY - 1)).toBe(retiring);
    const draining = age(retiring, DRAIN, 1000 + 7 * DAY) as SecretRecord;
    expect(draining.state).toBe('draining');
    const ended = 1000 + 7 * DAY + DRAIN;
    expect(age(draining, DRAIN, ended - 1)).toBe(draining);
    const revoked = age(draining, DRAIN, ended) as SecretRecord;
    expect(revoked).toMatchObject({ state: 'revoked', revokedAt: ended, tombstoneUntil: ended + TOMBSTONE_MS });
    expect(age(revoked, DRAIN, ended + TOMBSTONE_MS - 1)).toBe(revoked);
    expect(age(revoked, DRAIN, ended + TOMBSTONE_MS)).toBeNull();
  });
  it('makes up for the time in which nobody looked', () => {
    const retiring = retire(secret, grace, 0);
    expect(age(retiring, DRAIN, 7 * DAY + DRAIN)).toMatchObject({ state: 'revoked' });
    expect(age(retiring, DRAIN, 7 * DAY + 1)).toMatchObject({ state: 'draining', retiringUntil: 7 * DAY });
  });
  it('is never longer or wider for being replaced again', () => {
    const once = retire(secret, { graceMs: DAY, limitNetworks: 1 }, 0);
    expect(retire(once, { graceMs: 7 * DAY, limitNetworks: null }, 1)).toEqual(once);
    expect(retire(once, { graceMs: 0, limitNetworks: 0 }, 1)).toMatchObject({
      retiringUntil: 1,
      retireLimitNetworks: 0,
    });
  });
  it('never comes back to being accepted', () => {
    const step = fc.constantFrom(
      (each: SecretRecord, now: number) => retire(each, grace, now),
      (each: SecretRecord, now: number) => drain(each, now),
      (each: SecretRecord, now: number) => revoke(each, now),
      (each: SecretRecord, now: number) => age(each, DRAIN, now) ?? each,
    );
    const ORDER: SecretState[] = ['active', 'retiring', 'draining', 'revoked'];
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.integer({ min: 0, max: 40 * DAY }))), (steps) => {
        let [now, at] = [0, secret];
        for (const [take, after] of steps) {
          now += after;
          const next = take(at, now);
          expect(ORDER.indexOf(next.state)).toBeGreaterThanOrEqual(ORDER.indexOf(at.state));
          if (!isAccepted(at)) expect(isAccepted(next)).toBe(false);
          at = next;
        }
      }),
    );
  });
});
