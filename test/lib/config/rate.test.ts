import { expect, test } from 'vitest';
import { formatRate, parseRate, secondsFor } from '../../../src/lib/config/rate.ts';

test.each(['25/minute', '1/hour', '10000/second'])('%s is a rate', (text) => {
  const rate = parseRate(text);
  expect(rate && formatRate(rate)).toBe(text);
});

test.each(['', '0/minute', '10001/second', '25/min', '25 /minute', '-1/hour', '1.5/hour', '25/minute\n'])(
  '%j is none',
  (text) => {
    expect(parseRate(text)).toBeUndefined();
  },
);

test('a burst is whole again after so many seconds', () => {
  expect(secondsFor(100, { count: 25, per: 'minute' })).toBe(240);
  expect(secondsFor(1, { count: 7, per: 'second' })).toBe(1);
  expect(secondsFor(6, { count: 1, per: 'hour' })).toBe(21_600);
});
