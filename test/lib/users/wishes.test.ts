import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/lib/errors.ts';
import { writeQuota, writeSpeed } from '../../../src/lib/users/describe.ts';
import { NO_LIMITS, QUOTA_PERIODS } from '../../../src/lib/users/user.ts';
import { parseQuota, parseSpeed, readWishes, type Wishes } from '../../../src/lib/users/wishes.ts';

const NOW = Date.UTC(2027, 0, 15, 12);
const DAY = 86_400_000;
const read = (wishes: Wishes, limits = NO_LIMITS) => readWishes(wishes, limits, NOW);

describe('what is wished for a user', () => {
  test('nothing where nothing is said', () => {
    expect(read({})).toEqual({});
  });

  test('devices are eight connections, speeds bits, amounts powers of 1024, and 0 is 0', () => {
    const wishes = { devices: '3', 'max-networks': '0', quota: '1.5GB/week', speed: '8Mbit', down: '1Gbit' };
    expect(read(wishes).limits).toEqual({
      connections: 24,
      networks: 0,
      quota: { bytes: 1.5 * 2 ** 30, period: 'week', start: NOW },
      upBytesPerSecond: 1_000_000,
      downBytesPerSecond: 125_000_000,
    });
    expect(read({ devices: '0' }).limits?.connections).toBe(0);
  });

  test('none takes away what is named, and the rest stays', () => {
    const had = read({ devices: '1', 'max-networks': '2', quota: '1GB/day', speed: '1Mbit' }).limits;
    expect(read({ 'max-networks': 'none', quota: 'none', up: 'none' }, had).limits).toEqual({
      ...had,
      networks: null,
      quota: null,
      upBytesPerSecond: null,
    });
    expect(read({ expires: 'none', tag: ['none'] })).toEqual({ expiresAt: null, tags: [] });
  });

  test('another amount keeps the period where it is; another period begins now, or when it is said', () => {
    const { limits } = read({ quota: '1GB/month', 'quota-from': '2027-01-01' });
    const start = Date.UTC(2027, 0, 1);
    expect(limits?.quota).toEqual({ bytes: 2 ** 30, period: 'month', start });
    expect(read({ quota: '2GB/month' }, limits).limits?.quota).toEqual({ bytes: 2 ** 31, period: 'month', start });
    expect(read({ quota: '2GB/day' }, limits).limits?.quota?.start).toBe(NOW);
    expect(read({ 'quota-from': '2027-01-05' }, limits).limits?.quota?.start).toBe(Date.UTC(2027, 0, 5));
  });

  test.each([
    ['30d', NOW + 30 * DAY],
    ['12h', NOW + DAY / 2],
    ['2w', NOW + 14 * DAY],
    ['2028-02-29', Date.UTC(2028, 1, 29)],
    ['2027-06-01T10:00+02:00', Date.UTC(2027, 5, 1, 8)],
  ])('%s is an end', (expires, at) => {
    expect(read({ expires }).expiresAt).toBe(at);
  });

  test.each<Wishes>([
    { devices: '-1' },
    { devices: '1.5' },
    { devices: '' },
    { devices: '9999999' },
    { 'max-networks': 'many' },
    { quota: '50GB' },
    { quota: '50GB/year' },
    { quota: '-1GB/day' },
    { quota: '99999PB/day' },
    { 'quota-from': '2027-01-01' },
    { quota: '1GB/day', 'quota-from': '2027-13-01' },
    { speed: '10' },
    { speed: '1kbit' },
    { speed: '1001Gbit' },
    { up: '0Mbit' },
    { expires: '2027-02-29' },
    { expires: 'tomorrow' },
    { expires: '30' },
    { expires: '2999-01-01' },
    { expires: '1970-01-01' },
    { expires: '999999w' },
  ])('%j is refused, and named', (wishes) => {
    const last = Object.keys(wishes).at(-1);
    let thrown: unknown;
    try {
      read(wishes);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ exit: EXIT.usage, message: expect.stringContaining(last ?? '?') as string });
  });

  test('what is written for a limit reads as the same limit', () => {
    const bytes = fc.oneof(
      fc.integer({ min: 0, max: 2 ** 53 - 1 }).filter((count) => count < 1e15),
      fc.integer({ min: 0, max: 1023 }).map((count) => count * 2 ** 40),
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom(...QUOTA_PERIODS), (count, period) => {
        const quota = { bytes: count, period, start: NOW };
        expect(parseQuota(writeQuota(quota), NOW)).toEqual(quota);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 125_000_000_000 }), (speed) => {
        expect(parseSpeed(writeSpeed(speed), 'up')).toBe(speed);
      }),
    );
  });
});
