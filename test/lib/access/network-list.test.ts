import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseNetworkList, parseNetworks } from '../../../src/lib/access/network-list.ts';
import { contains, formatPrefix, lastOf } from '../../../src/lib/access/prefix.ts';

const networks = (text: string): string[] => parseNetworkList(text).prefixes.map(formatPrefix);

describe('a list of networks', () => {
  test('has networks and ranges, comments and empty lines', () => {
    const text =
      '\uFEFF# list\r\n10.0.0.0/8\r\n\r\n1.10.16.0/20 ; SBL256894\n2001:db8::/32 # six\n192.0.2.5 - 192.0.2.9\n192.0.2.1-192.0.2.1\n';
    expect(networks(text)).toEqual([
      '1.10.16.0/20',
      '10.0.0.0/8',
      '192.0.2.1',
      '192.0.2.5',
      '192.0.2.6/31',
      '192.0.2.8/31',
      '2001:db8::/32',
    ]);
  });

  test('leaves out what lies in another one', () => {
    expect(networks('10.1.0.0/16\n10.0.0.0/8\n10.0.0.0/8\n10.2.3.4\n11.0.0.0\n::/0\n::1')).toEqual([
      '10.0.0.0/8',
      '11.0.0.0',
      '::/0',
    ]);
  });

  test('names the lines that say something else', () => {
    const { lines, wrong, faults } = parseNetworkList('10.0.0.0/8\n\nhello world\n192.0.2.9-192.0.2.5\n::-1.2.3.4');
    expect([lines, wrong]).toEqual([4, 3]);
    expect(faults).toEqual([
      { line: 3, text: 'hello world' },
      { line: 4, text: '192.0.2.9-192.0.2.5' },
      { line: 5, text: '::-1.2.3.4' },
    ]);
    expect(parseNetworkList('x\n'.repeat(500))).toMatchObject({ wrong: 500, faults: { length: 100 } });
  });

  test('of any text is read, and one that is much too long is refused', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.constantFrom('-', '/', ':', '#'))),
        (parts) => {
          const { prefixes, lines, wrong } = parseNetworkList(parts.join(''));
          expect(wrong).toBeLessThanOrEqual(lines);
          for (const prefix of prefixes) expect(parseNetworks(formatPrefix(prefix))).toEqual([prefix]);
        },
      ),
    );
    expect(() => parseNetworkList('192.0.2.1\n'.repeat(500_001))).toThrow(/more than 500,000/);
    expect(parseNetworkList(`${':1'.repeat(1_000_000)}\n`)).toMatchObject({ lines: 1, wrong: 1 });
  });

  test('takes the whole of a family', () => {
    expect(networks('0.0.0.0-255.255.255.255')).toEqual(['0.0.0.0/0']);
    expect(networks('::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff')).toEqual(['::/0']);
  });

  test('a range becomes networks that hold it from end to end, and nothing else', () => {
    const address = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 1, 0xffffffff, 0x80000000));
    fc.assert(
      fc.property(address, address, (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const text = (word: number): string => formatPrefix({ family: 4, words: [word], bits: 32 });
        const found = parseNetworks(`${text(from)}-${text(to)}`) ?? [];
        let next = from;
        for (const prefix of found) {
          expect(prefix.words).toEqual([next]);
          expect(contains(prefix, [next])).toBe(true);
          next = (lastOf(prefix)[0] as number) + 1;
        }
        expect(next).toBe(to + 1);
        expect(found.length).toBeLessThanOrEqual(62);
      }),
      { numRuns: 500 },
    );
  });
});
