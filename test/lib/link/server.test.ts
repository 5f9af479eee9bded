import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { chooseServer } from '../../../src/lib/link/server.ts';

function interfaces(...addresses: string[]): Record<string, NetworkInterfaceInfo[]> {
  return {
    eth0: addresses.map((address) => ({
      address,
      cidr: null,
      internal: false,
      mac: '00:00:00:00:00:00',
      ...(address.includes(':')
        ? { family: 'IPv6' as const, netmask: '', scopeid: 0 }
        : { family: 'IPv4' as const, netmask: '' }),
    })),
  };
}

describe('chooseServer', () => {
  test('the configured server comes first', () => {
    const choice = chooseServer({ configured: 'proxy.example.com', interfaces: interfaces('8.8.8.8') });
    expect(choice).toEqual({ server: 'proxy.example.com', reach: 'public', from: 'config' });
  });

  test.each([
    ['10.0.0.1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['localhost', 'loopback'],
    ['8.8.8.8', 'public'],
  ])('says how far the configured %s reaches: %s', (configured, reach) => {
    expect(chooseServer({ configured, interfaces: {} })).toMatchObject({ server: configured, reach });
  });

  test('a public address wins over private and loopback ones that come earlier', () => {
    const found = interfaces('127.0.0.1', '2001:db8::1', '192.168.1.5', '8.8.4.4', '1.1.1.1');
    expect(chooseServer({ configured: null, interfaces: found })).toEqual({
      server: '8.8.4.4',
      reach: 'public',
      from: 'interface',
    });
  });

  test.each(['10.1.2.3', '172.16.0.9', '172.31.255.1', '192.168.0.2', '100.64.0.1', '169.254.3.4', '198.18.0.1'])(
    '%s is private',
    (address) => {
      const found = interfaces('127.0.0.1', address);
      expect(chooseServer({ configured: undefined, interfaces: found })).toMatchObject({
        server: address,
        reach: 'private',
      });
    },
  );

  test.each(['172.15.0.1', '172.32.0.1', '100.63.0.1', '100.128.0.1', '11.0.0.1'])('%s is public', (address) => {
    expect(chooseServer({ configured: '', interfaces: interfaces(address) })).toMatchObject({ reach: 'public' });
  });

  test('without any address it is the loopback', () => {
    expect(chooseServer({ configured: null, interfaces: {} })).toMatchObject({
      server: '127.0.0.1',
      reach: 'loopback',
    });
  });
});
