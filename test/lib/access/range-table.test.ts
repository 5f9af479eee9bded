import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressWords, contains, cut, lastOf, parsePrefix, type Prefix } from '../../../src/lib/access/prefix.ts';
import { isCovered, lookUp, packRanges, type RangeRule } from '../../../src/lib/access/range-table.ts';

const rule = (text: string, value: number): RangeRule => ({ prefix: parsePrefix(text) as Prefix, value });
const at = (rules: RangeRule[], address: string): number =>
  lookUp(packRanges(rules), addressWords(address) as number[]);

/** What holds, by reading all rules. */
function slowly(rules: RangeRule[], words: readonly number[]): number {
  let best: RangeRule | null = null;
  for (const each of rules) {
    if (contains(each.prefix, words) && (best === null || each.prefix.bits >= best.prefix.bits)) best = each;
  }
  return best?.value ?? 0;
}

describe('a table of networks', () => {
  it('has nothing to say of an address that no network holds', () => {
    expect(at([], '192.0.2.1')).toBe(0);
    expect(at([rule('192.0.2.0/24', 1)], '192.0.3.0')).toBe(0);
    expect(at([rule('192.0.2.0/24', 1)], '192.0.1.255')).toBe(0);
    expect(at([rule('::/0', 1)], '192.0.2.1')).toBe(0);
  });

  it('goes by the most specific, and of the same by the last', () => {
    const rules = [rule('10.0.0.0/8', 1), rule('10.1.0.0/16', 2), rule('10.1.2.3', 3), rule('10.0.0.0/8', 4)];
    expect(at(rules, '10.0.0.0')).toBe(4);
    expect(at(rules, '10.1.0.0')).toBe(2);
    expect(at(rules, '10.1.2.3')).toBe(3);
    expect(at(rules, '10.1.2.4')).toBe(2);
    expect(at(rules, '10.255.255.255')).toBe(4);
    expect(at([...rules, rule('0.0.0.0/0', 5)], '255.255.255.255')).toBe(5);
  });

  it('of 100,000 networks agrees with reading all of them', () => {
    // Half of each family, many in one another, all within a part of the space in which addresses hit some.
    let seed = 1;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const address = (family: number): number[] =>
      family === 4
        ? [0x0a000000 + random(2 ** 22)]
        : [0x20010db8, random(2 ** 16) * 2 ** 16, random(4), random(2 ** 32)];
    const rules = Array.from({ length: 100_000 }, (_, at): RangeRule => {
      const words = address(at % 2 === 0 ? 4 : 6);
      return { prefix: cut(words, words.length === 1 ? 14 + random(19) : 34 + random(95)), value: 1 + random(9) };
    });
    const table = packRanges(rules);
    for (let left = 300; left > 0; left--) {
      const words = address(left % 2 === 0 ? 4 : 6);
      expect(lookUp(table, words)).toBe(slowly(rules, words));
      const { prefix } = rules[random(rules.length)] as RangeRule;
      expect(lookUp(table, prefix.words)).toBe(slowly(rules, prefix.words));
      expect(lookUp(table, lastOf(prefix))).toBe(slowly(rules, lastOf(prefix)));
    }
  });

  it('knows whether a network is covered as a whole', () => {
    const table = packRanges([
      rule('10.0.0.0/9', 1),
      rule('10.128.0.0/9', 1),
      rule('192.0.2.0/25', 1),
      rule('::/1', 2),
    ]);
    const covered = (text: string): boolean => isCovered(table, parsePrefix(text) as Prefix);
    expect(['10.0.0.0/8', '10.1.0.0/16', '192.0.2.0/25', '192.0.2.127', '2001:db8::/32'].filter(covered)).toHaveLength(
      5,
    );
    expect(
      ['0.0.0.0/0', '8.0.0.0/6', '192.0.2.0/24', '192.0.2.128', '192.0.2.0/23', '::/0', 'ff00::/8'].filter(covered),
    ).toEqual([]);
  });

  it('agrees with reading all rules, at the borders too', () => {
    const bits = fc.nat(32);
    // Few networks that overlap much, in the corners of the space.
    const words: fc.Arbitrary<readonly number[]> = fc.oneof(
      fc.constantFrom([0], [0xffffffff], [0x80000000], [0x0a000000]),
      fc.array(fc.nat(3), { minLength: 1, maxLength: 1 }),
      fc.array(fc.nat(0xffffffff), { minLength: 1, maxLength: 1 }),
      fc.tuple(fc.nat(3), fc.nat(1), fc.constantFrom(0, 0xffffffff), fc.nat(3)),
    );
    const rules = fc.array(
      fc.tuple(words, bits, fc.integer({ min: 1, max: 9 })).map(([own, length, value]) => ({
        prefix: cut(own, own.length === 1 ? length : length * 4),
        value,
      })),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(rules, fc.array(words, { minLength: 1 }), (all, addresses) => {
        const table = packRanges(all);
        const borders = all.flatMap(({ prefix }) => [[...prefix.words], lastOf(prefix)]);
        for (const address of [...addresses, ...borders]) expect(lookUp(table, address)).toBe(slowly(all, address));
      }),
      { numRuns: 500 },
    );
  });
});
