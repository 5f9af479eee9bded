import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatWindow, isOpen, nextTurn, parseWindow, type Window } from '../../../src/lib/access/window.ts';

const window = (text: string): Window => {
  const parsed = parseWindow(text);
  if (parsed === null) throw new Error(text);
  return parsed;
};
const BERLIN = 'Europe/Berlin';
const at = (text: string): number => Date.parse(text);
const MINUTE_MS = 60_000;

describe('a window', () => {
  test.each([
    ['mon-fri 09:00-17:00', 'mon-fri 09:00-17:00'],
    ['  SAT,sun 22:00-06:00 ', 'sat,sun 22:00-06:00'],
    ['daily 01:00-24:00', 'daily 01:00-24:00'],
    ['sat-mon 00:00-24:00', 'mon,sat,sun 00:00-24:00'],
    ['mon,tue,wed 00:01-00:02', 'mon-wed 00:01-00:02'],
    ['mon-sun 00:00-24:00', 'daily 00:00-24:00'],
  ])('%s is written %s', (text, form) => {
    expect(formatWindow(window(text))).toBe(form);
    expect(window(form)).toEqual(window(text));
  });

  test.each(['', 'mon', 'mon 9:00-17:00', 'foo 09:00-17:00', 'mon-tue-wed 09:00-17:00', 'mon 09:00-09:00'])(
    '%j is none',
    (text) => {
      expect(parseWindow(text)).toBeNull();
    },
  );
  test.each([
    'mon 24:00-01:00',
    'mon 09:60-10:00',
    'mon 25:00-26:00',
    'mon 08:00-24:01',
    'mon, 09:00-10:00',
    'mon 09:00-00:00',
  ])('%j is none', (text) => {
    expect(parseWindow(text)).toBeNull();
  });

  test('over midnight belongs to the day on which it begins', () => {
    const friday = [window('fri 22:00-06:00')];
    expect(isOpen(friday, 'UTC', at('2027-01-01T22:00Z'))).toBe(true);
    expect(isOpen(friday, 'UTC', at('2027-01-02T05:59Z'))).toBe(true);
    expect(isOpen(friday, 'UTC', at('2027-01-02T06:00Z'))).toBe(false);
    expect(isOpen(friday, 'UTC', at('2027-01-01T05:00Z'))).toBe(false);
    expect(isOpen(friday, 'UTC', at('2027-01-02T22:00Z'))).toBe(false);
  });

  test('goes by the clocks of its zone, in summer and in winter', () => {
    const office = [window('mon-fri 09:00-17:00')];
    expect(nextTurn(office, BERLIN, at('2027-01-15T00:00Z'))).toBe(at('2027-01-15T08:00Z'));
    expect(nextTurn(office, BERLIN, at('2027-07-15T00:00Z'))).toBe(at('2027-07-15T07:00Z'));
    // The weekend in which the clocks go forward.
    expect(nextTurn(office, BERLIN, at('2027-03-26T16:00Z'))).toBe(at('2027-03-29T07:00Z'));
  });

  test('in the hour that is left out is never open, and in the one that comes twice is open twice', () => {
    const night = [window('sun 02:00-03:00')];
    // 2027-03-28 at 02:00 clocks go to 03:00; the next Sunday has that hour.
    expect(nextTurn(night, BERLIN, at('2027-03-27T12:00Z'))).toBe(at('2027-04-04T00:00Z'));
    const half = [window('sun 02:00-02:30')];
    const turns = [at('2027-10-30T12:00Z')];
    for (let left = 4; left > 0; left--) turns.push(nextTurn(half, BERLIN, turns.at(-1) as number) as number);
    expect(turns.slice(1).map((turn) => new Date(turn).toISOString().slice(11, 16))).toEqual([
      '00:00',
      '00:30',
      '01:00',
      '01:30',
    ]);
  });

  test('that is always open has no turn', () => {
    expect(nextTurn([window('daily 00:00-24:00')], BERLIN, at('2027-03-27T12:00Z'))).toBeNull();
  });

  test('turns when looking at every minute finds that it does', () => {
    const minute = fc.nat(1439);
    const windows = fc.array(
      fc
        .record({ days: fc.integer({ min: 1, max: 127 }), from: minute, to: fc.integer({ min: 1, max: 1440 }) })
        .filter(({ from, to }) => from !== to),
      { minLength: 1, maxLength: 3 },
    );
    // Around changes of clocks, one of them by half an hour.
    const around = fc.constantFrom(
      [BERLIN, '2027-03-28T00:00Z'],
      [BERLIN, '2027-10-31T00:00Z'],
      ['Australia/Lord_Howe', '2027-04-03T12:00Z'],
      ['America/New_York', '2027-03-14T06:00Z'],
      ['Asia/Kathmandu', '2027-06-01T00:00Z'],
    ) as fc.Arbitrary<[string, string]>;
    fc.assert(
      fc.property(windows, around, fc.integer({ min: -1500, max: 1500 }), (all, [zone, middle], shift) => {
        const now = at(middle) + shift * MINUTE_MS;
        const open = isOpen(all, zone, now);
        let slowly: number | null = null;
        for (let ahead = 1; slowly === null && ahead < 3000; ahead++) {
          if (isOpen(all, zone, now + ahead * MINUTE_MS) !== open) slowly = now + ahead * MINUTE_MS;
        }
        const turn = nextTurn(all, zone, now);
        if (slowly === null) expect(turn === null || turn >= now + 3000 * MINUTE_MS).toBe(true);
        else expect(turn).toBe(slowly);
      }),
      { numRuns: 60 },
    );
  });
});
