import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalNetwork, plainAddress, tidyNetworks } from '../../../src/lib/firewall/network.ts';

it.each([
  [['10.1.2.3/8', '10.0.0.0/9', '10.200.0.1'], { v4: ['10.0.0.0/8'], v6: [] }],
  [['10.0.0.0/9', '10.128.0.0/9', '11.0.0.0/8'], { v4: ['10.0.0.0/7'], v6: [] }],
  [['10.0.0.1', '10.0.0.2'], { v4: ['10.0.0.1', '10.0.0.2'], v6: [] }],
  [['0.0.0.0/0', '1.1.1.1', '::/0'], { v4: ['0.0.0.0/0'], v6: ['::/0'] }],
  [['2001:DB8::1/128', '2001:db8:0:1::/64', '2001:db8::/64'], { v4: [], v6: ['2001:db8::/63'] }],
])('%j is tidied', (blocks, tidy) => {
  expect(tidyNetworks(blocks)).toEqual(tidy);
});

it('tidying twice is as tidying once, and loses no address', () => {
  const block = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([address, bits]) => `${address}/${bits}`);
  fc.assert(
    fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
      const { v4 } = tidyNetworks(blocks);
      expect(tidyNetworks(v4).v4).toEqual(v4);
      for (const one of blocks) expect(tidyNetworks([...v4, one]).v4).toEqual(v4);
    }),
  );
});

it.each([
  ['10.9.8.7/8', '10.0.0.0/8'],
  ['2001:0DB8:0:0::1', '2001:db8::1'],
])('%s is %s', (text, canonical) => {
  expect(canonicalNetwork(text)).toBe(canonical);
});

it('an IPv4 client of an IPv6 socket is an IPv4 address', () => {
  expect(['::ffff:192.0.2.1', 'fe80::1%eth0', '192.0.2.1'].map(plainAddress)).toEqual([
    '192.0.2.1',
    'fe80::1',
    '192.0.2.1',
  ]);
});
