import { expect, it } from 'vitest';
import { banMs, standing } from '../../../src/lib/guard/ban-time.ts';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const limits = { baseMs: 10 * MINUTE, mostMs: 7 * DAY };

it('doubles up to seven days', () => {
  const lengths = Array.from({ length: 14 }, (_, count) => banMs(count, limits, 0) / MINUTE);
  expect(lengths).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_080, 10_080, 10_080, 10_080]);
});

it('is exact the first time, and a tenth longer at most then', () => {
  expect(banMs(0, limits, 0.99)).toBe(10 * MINUTE);
  expect(banMs(1, limits, 0.5)).toBe(21 * MINUTE);
  // Added after the cap, so that its end is not known either.
  expect(banMs(60, limits, 0.999)).toBeGreaterThan(7.6 * DAY);
});

it('forgets one ban for every seven clean days', () => {
  const bans = [0, 1, 2].map((day) => ({ from: day * DAY, until: day * DAY + 10 * MINUTE }));
  const end = 2 * DAY + 10 * MINUTE;
  expect([0, 6.9, 7, 13.9, 14, 21, 300].map((days) => standing(bans, end + days * DAY))).toEqual([3, 3, 2, 2, 1, 0, 0]);
  expect(standing([], end)).toBe(0);
  expect(standing([{ from: 0, until: null }], 300 * DAY)).toBe(1);
});
