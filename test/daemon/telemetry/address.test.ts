import net from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { truncateAddress } from '../../../src/daemon/telemetry/address.ts';

describe('truncated address', () => {
  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:db8::1', '2001:db8:0::/48'],
    ['::1', '0:0:0::/48'],
    ['fe80::1%eth0', 'fe80:0:0::/48'],
    ['64:ff9b::203.0.113.7', '64:ff9b:0::/48'],
    ['not an address', 'unknown'],
  ])('%s becomes %s', (address, truncated) => {
    expect(truncateAddress(address)).toBe(truncated);
  });
  it('two IPv6 hosts of one /48 cannot be told apart', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const net48 = truncateAddress(address).replace(/\/48$/, '');
        expect(net.isIPv6(net48)).toBe(true);
        expect(truncateAddress(net48)).toBe(`${net48}/48`);
      }),
    );
  });
  it('never throws on any text', () => {
    fc.assert(fc.property(fc.string(), (text) => void truncateAddress(text)));
  });
});
