import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressWords, contains, cut, formatPrefix, parsePrefix } from '../../../src/lib/access/prefix.ts';

const v4 = fc.ipV4();
const v6 = fc.ipV6();

describe('a prefix', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0:0:0:0:0:0/32', '2001:db8::/32'],
    ['::', '::'],
    ['::/0', '::/0'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
  ])('%s is written %s', (text, form) => {
    const prefix = parsePrefix(text);
    expect(prefix && formatPrefix(prefix)).toBe(form);
  });

  it.each([
    '',
    '192.0.2.1/24',
    '192.0.2.0/33',
    '192.0.2.0/',
    '192.0.2.0/24/8',
    '1.2.3',
    'fe80::1/64',
    '::/129',
    '10/8',
    '1.2.3.4/-1',
    '::ffff:1.2.3.4/32',
    'example.org',
  ])('%s is none', (text) => {
    expect(parsePrefix(text)).toBeNull();
  });

  it('holds the addresses that Node says it holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.tuple(v4, v4, fc.nat(32)), fc.tuple(v6, v6, fc.nat(128))), ([net, address, bits]) => {
        const [words, other] = [addressWords(net), addressWords(address)];
        fc.pre(words !== null && other !== null && words.length === (net.includes(':') ? 4 : 1));
        fc.pre(other.length === words.length);
        const prefix = cut(words, bits);
        const theirs = new BlockList();
        const family = words.length === 1 ? 'ipv4' : 'ipv6';
        if (bits === 0) return;
        theirs.addSubnet(net, bits, family);
        expect(contains(prefix, other)).toBe(theirs.check(address, family));
        expect(parsePrefix(formatPrefix(prefix))).toEqual(prefix);
      }),
      { numRuns: 2000 },
    );
  });
});
