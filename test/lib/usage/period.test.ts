import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextPeriodStart, periodStart, spanStart } from '../../../src/lib/usage/period.ts';
import { QUOTA_PERIODS } from '../../../src/lib/users/user.ts';

const at = (text: string): number => Date.parse(`${text}Z`);
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString().slice(0, 16));
const time = fc.integer({ min: at('2000-01-01T00:00'), max: at('2200-01-01T00:00') });
const quota = fc.record({ period: fc.constantFrom(...QUOTA_PERIODS), start: time });

describe('periods of a quota', () => {
  test.each([
    ['day', '2027-01-31T10:00', '2027-03-01T09:59', '2027-02-28T10:00', '2027-03-01T10:00'],
    ['week', '2027-01-01T00:00', '2027-01-15T00:00', '2027-01-15T00:00', '2027-01-22T00:00'],
    ['month', '2027-01-31T00:00', '2027-02-27T23:59', '2027-01-31T00:00', '2027-02-28T00:00'],
    ['month', '2027-01-31T00:00', '2027-02-28T00:00', '2027-02-28T00:00', '2027-03-31T00:00'],
    ['month', '2027-01-31T12:30', '2028-02-29T12:30', '2028-02-29T12:30', '2028-03-31T12:30'],
    ['month', '2027-01-10T00:00', '2026-12-31T00:00', '2026-12-10T00:00', '2027-01-10T00:00'],
    ['total', '2027-01-10T00:00', '2030-12-31T00:00', '2027-01-10T00:00', null],
  ] as const)('a %s from %s, at %s, began %s; the next begins %s', (period, start, now, began, next) => {
    const one = { period, start: at(start) };
    expect(iso(periodStart(one, at(now)))).toBe(began);
    expect(iso(nextPeriodStart(one, at(now)))).toBe(next);
  });

  test('before its start a quota in all has one period, for ever', () => {
    const one = { period: 'total', start: at('2027-01-10T00:00') } as const;
    expect(periodStart(one, one.start - 1)).toBe(Number.NEGATIVE_INFINITY);
    expect(nextPeriodStart(one, one.start - 1)).toBe(one.start);
  });

  test('every moment is in exactly one period', () => {
    fc.assert(
      fc.property(quota, time, (one, now) => {
        const [start, next] = [periodStart(one, now), nextPeriodStart(one, now)];
        expect(start).toBeLessThanOrEqual(now);
        expect(next ?? Infinity).toBeGreaterThan(now);
        if (next === null) return;
        expect(periodStart(one, next)).toBe(next);
        expect(periodStart(one, next - 1)).toBe(start);
      }),
    );
  });
});

test('hours, days and months are those of UTC', () => {
  const now = at('2027-02-28T23:59');
  expect((['hour', 'day', 'month'] as const).map((span) => iso(spanStart(span, now)))).toEqual([
    '2027-02-28T23:00',
    '2027-02-28T00:00',
    '2027-02-01T00:00',
  ]);
});
