import { expect, it } from 'vitest';
import { formatPrefix, parsePrefix, type Prefix } from '../../../src/lib/access/prefix.ts';
import { exemptions, hitBy, kernelAddress, networkOf } from '../../../src/lib/guard/exempt.ts';

it('who administers the machine, its balancers and itself are named', async () => {
  const exempted = await exemptions(['192.0.2.0/28'], { SSH_CONNECTION: '198.51.100.4 50000 203.0.113.1 22' });
  const who = (network: string): string | undefined => hitBy(parsePrefix(network) as Prefix, exempted)?.who;
  expect(who('127.8.8.8')).toBe('this machine');
  expect(who('::1')).toBe('this machine');
  expect(who('192.0.2.3')).toMatch(/balancer/);
  expect(who('198.51.100.4')).toMatch(/SSH/);
  // Both ways: a network around one of them would hit it too.
  expect(who('198.51.0.0/16')).toMatch(/SSH/);
  expect(who('203.0.113.77')).toBeUndefined();
});

it.each([
  ['0100007F', '127.0.0.1'],
  ['046433C6', '198.51.100.4'],
  ['0000000000000000FFFF0000046433C6', '0:0:0:0:0:ffff:c633:6404'],
  ['B80D0120000000000000000001000000', '2001:db8:0:0:0:0:0:1'],
  ['7F', null],
])('the kernel writes %s', (hex, address) => {
  expect(kernelAddress(hex)).toBe(address);
});

it.each([
  ['198.51.100.4', '198.51.100.4'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['::ffff:198.51.100.4', '198.51.100.4'],
  ['nonsense', null],
])('%s is banned as %s', (address, network) => {
  const prefix = networkOf(address);
  expect(prefix && formatPrefix(prefix)).toBe(network);
});
