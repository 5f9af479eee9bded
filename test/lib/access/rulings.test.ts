import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explain } from '../../../src/lib/access/explain.ts';
import { type Level, LEVELS, letsIn } from '../../../src/lib/access/level.ts';
import { NO_ACCESS } from '../../../src/lib/access/load.ts';
import { cut, formatPrefix, parsePrefix, type Prefix } from '../../../src/lib/access/prefix.ts';
import { lookUp, packRanges } from '../../../src/lib/access/range-table.ts';
import type { Access, AccessRule, Feed } from '../../../src/lib/access/rule.ts';
import type { Ruling } from '../../../src/lib/access/ruling.ts';
import { rulingsAt } from '../../../src/lib/access/rulings.ts';
import { parseWindow, type Window } from '../../../src/lib/access/window.ts';
import { wordsOf } from '../../support/mmdb.ts';

const NOW = Date.parse('2027-01-15T12:00Z');
const HOUR_MS = 3_600_000;

const prefix = (text: string): Prefix => parsePrefix(text) as Prefix;
let nextId = 1;
const rule = (network: string, level: Level, rest: Partial<AccessRule> = {}): AccessRule => ({
  id: nextId++,
  prefix: prefix(network),
  level,
  mode: 'enforce',
  reason: '',
  windows: [],
  zone: 'UTC',
  createdAt: 0,
  until: null,
  ...rest,
});
const feed = (name: string, level: Level, networks: string[], rest: Partial<Feed> = {}): Access['feeds'][number] => ({
  feed: {
    name,
    source: '/list',
    level,
    mode: 'enforce',
    refreshMs: null,
    pin: null,
    sha256: null,
    networks: networks.length,
    fetchedAt: null,
    checkedAt: null,
    failure: null,
    createdAt: 0,
    ...rest,
  },
  prefixes: networks.map(prefix),
});
const countries = (masked: string[], rest: object = {}): Access['countries'] => ({
  policy: {
    kind: 'block',
    countries: ['FR'],
    unknown: 'allow',
    mode: 'enforce',
    database: '/db',
    changedAt: 0,
    ...rest,
  },
  rulings: masked.map((network) => ({ prefix: prefix(network), verdict: 'mask', until: null })),
  stamp: '',
});
const access = (parts: Partial<Access>): Access => ({ ...NO_ACCESS, ...parts });

/** What the engine makes of rulings. */
const isMasked = (rulings: Ruling[], words: readonly number[]): boolean =>
  lookUp(packRanges(rulings.map((one) => ({ prefix: one.prefix, value: one.verdict === null ? 1 : 2 }))), words) === 2;
const masked = (all: Access, address: string, now = NOW): boolean =>
  isMasked(rulingsAt(all, now).rulings, wordsOf(address));

describe('rulings', () => {
  test.each(LEVELS)('of level %s let clients in from STANDARD on', (level) => {
    const [ruling] = rulingsAt(access({ rules: [rule('192.0.2.0/24', level)] }), NOW).rulings;
    expect(ruling?.verdict).toBe(['NONE', 'READ_ONLY'].includes(level) ? 'mask' : null);
  });

  test('go by the most specific network, whether a rule or a feed names it', () => {
    const all = access({
      rules: [rule('0.0.0.0/0', 'NONE'), rule('198.51.100.0/24', 'STANDARD')],
      feeds: [feed('friends', 'STANDARD', ['203.0.113.0/24']), feed('bad', 'NONE', ['198.51.100.7'])],
    });
    expect(masked(all, '192.0.2.1')).toBe(true);
    expect(masked(all, '203.0.113.1')).toBe(false);
    expect(masked(all, '198.51.100.1')).toBe(false);
    expect(masked(all, '198.51.100.7')).toBe(true);
  });

  test('of the same network a rule goes before a feed, and a later rule before an earlier one', () => {
    const feeds = [feed('bad', 'NONE', ['198.51.100.0/24'])];
    expect(masked(access({ feeds }), '198.51.100.1')).toBe(true);
    const lets = rule('198.51.100.0/24', 'STANDARD');
    expect(masked(access({ feeds, rules: [lets] }), '198.51.100.1')).toBe(false);
    expect(masked(access({ feeds, rules: [lets, rule('198.51.100.0/24', 'NONE')] }), '198.51.100.1')).toBe(true);
  });

  test('of countries are beneath all others, however narrow their networks', () => {
    const all = access({
      rules: [rule('198.51.100.0/24', 'STANDARD'), rule('203.0.113.9', 'STANDARD')],
      countries: countries(['198.51.100.64/26', '203.0.113.0/24', '192.0.2.0/24']),
    });
    expect(masked(all, '198.51.100.70')).toBe(false);
    expect(masked(all, '203.0.113.9')).toBe(false);
    expect(masked(all, '203.0.113.8')).toBe(true);
    expect(masked(all, '192.0.2.8')).toBe(true);
  });

  test('end on their time, in seconds, and the next change is told', () => {
    const until = NOW + 90_500;
    const all = access({
      rules: [rule('192.0.2.0/24', 'NONE', { until }), rule('192.0.2.9', 'NONE', { until: until + 1 })],
    });
    const { rulings, nextChange } = rulingsAt(all, NOW);
    expect(nextChange).toBe(until);
    const ends = (list: Ruling[]): number[] => list.flatMap((one) => one.until ?? []);
    expect(ends(rulings)).toEqual([NOW / 1000 + 91, NOW / 1000 + 91]);
    expect(ends(rulingsAt(all, until).rulings)).toHaveLength(1);
    expect(rulingsAt(all, until + 1)).toEqual({ rulings: [], observed: [], nextChange: null });
  });

  test('come and go with their windows, until the rule ends', () => {
    const windows = [parseWindow('daily 13:00-15:00') as Window];
    const all = access({ rules: [rule('192.0.2.0/24', 'NONE', { windows, until: NOW + 2 * HOUR_MS })] });
    expect(rulingsAt(all, NOW)).toMatchObject({ rulings: [], nextChange: NOW + HOUR_MS });
    const open = rulingsAt(all, NOW + HOUR_MS);
    expect(open.rulings).toContainEqual({ prefix: prefix('192.0.2.0/24'), verdict: 'mask', until: NOW / 1000 + 7200 });
    expect(open.nextChange).toBe(NOW + 2 * HOUR_MS);
    const late = access({ rules: [rule('192.0.2.0/24', 'NONE', { windows, until: NOW + HOUR_MS })] });
    expect(rulingsAt(late, NOW)).toMatchObject({ rulings: [], nextChange: null });
  });

  test('never keep out the machine itself, whatever is written', () => {
    const all = access({
      rules: [rule('0.0.0.0/0', 'NONE'), rule('::/0', 'NONE'), rule('127.0.0.1', 'NONE'), rule('::1', 'NONE')],
    });
    for (const own of ['127.0.0.1', '127.9.9.9', '::1']) {
      expect([own, masked(all, own), explain(all, wordsOf(own), NOW).lets]).toEqual([own, false, true]);
    }
    for (const other of ['126.255.255.255', '128.0.0.0', '::2']) expect(masked(all, other), other).toBe(true);
  });

  test('that are only observed are apart, and change nothing', () => {
    const all = access({
      rules: [rule('198.51.100.0/24', 'NONE', { mode: 'observe' })],
      feeds: [feed('bad', 'NONE', ['198.51.100.0/25'], { mode: 'observe' })],
      countries: countries(['198.51.100.0/26', '192.0.2.0/24'], { mode: 'observe' }),
    });
    const { rulings, observed } = rulingsAt(all, NOW);
    expect(rulings).toEqual([]);
    expect(isMasked(observed, wordsOf('198.51.100.1'))).toBe(true);
    expect(isMasked(observed, wordsOf('192.0.2.1'))).toBe(true);
    expect(explain(all, wordsOf('198.51.100.1'), NOW)).toMatchObject({ lets: true, by: null, speakers: [{}, {}, {}] });
  });
});

test('an explanation comes to what the table of the rulings says', () => {
  // Few networks that overlap much.
  const network = fc
    .tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 24, max: 32 }))
    .map(([last, bits]) => formatPrefix(cut([0xc0000200 + last * 32], bits)));
  const level = fc.constantFrom<Level>(...LEVELS);
  const mode = fc.constantFrom('enforce' as const, 'observe' as const);
  const until = fc.constantFrom(null, NOW - 1, NOW + 1);
  const rules = fc.array(
    fc
      .record({ network, level, mode, until })
      .map((one) => rule(one.network, one.level, { mode: one.mode, until: one.until })),
    { maxLength: 6 },
  );
  const lists = fc.array(fc.tuple(network, level, mode), { maxLength: 3 });
  const blocked = fc.option(fc.tuple(fc.array(network, { maxLength: 4 }), mode));
  fc.assert(
    fc.property(rules, lists, blocked, fc.nat(255), (own, feeds, country, last) => {
      const all = access({
        rules: own,
        feeds: feeds.map(([one, lets, how], at) => feed(`f${at}`, lets, [one], { mode: how })),
        countries: country && countries(country[0], { mode: country[1] }),
      });
      const words = [0xc0000200 + last];
      const { lets, by } = explain(all, words, NOW);
      expect(lets).toBe(!isMasked(rulingsAt(all, NOW).rulings, words));
      if (by?.level) expect(lets).toBe(letsIn(by.level));
    }),
    { numRuns: 1000 },
  );
});
