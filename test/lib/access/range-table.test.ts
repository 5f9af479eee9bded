import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressWords, contains, cut, parsePrefix, type Prefix } from '../../../src/lib/access/prefix.ts';
import { lookUp, packRanges, type RangeRule } from '../../../src/lib/access/range-table.ts';

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
        const borders = all.flatMap(({ prefix }) => [[...prefix.words], last(prefix)]);
        for (const address of [...addresses, ...borders]) expect(lookUp(table, address)).toBe(slowly(all, address));
      }),
      { numRuns: 500 },
    );
  });
});

/** The last address of a network. */
function last({ words, bits }: Prefix): number[] {
  return words.map((word, index) => {
    const own = Math.min(32, Math.max(0, bits - 32 * index));
    return own === 32 ? word : (word | (0xffffffff >>> own)) >>> 0;
  });
}
