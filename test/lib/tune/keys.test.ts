import { describe, expect, it, test } from 'vitest';
import { type TuneFacts, tuneKeys } from '../../../src/lib/tune/keys.ts';

const FACTS: TuneFacts = { memoryMb: 1024, connections: 3620, port: 443, bbr: true };

function wish(key: string, current: string, facts = FACTS): string | undefined {
  return tuneKeys(facts)
    .find((known) => known.key === key)
    ?.want(current);
}

test.each([
  ['net.core.somaxconn', '4096', '8192'],
  ['net.core.somaxconn', '65535', '65535'],
  ['net.ipv4.tcp_syncookies', '2', '2'],
  ['net.ipv4.tcp_syncookies', '0', '1'],
  ['net.ipv4.tcp_fin_timeout', '60', '20'],
  ['net.ipv4.tcp_fin_timeout', '10', '10'],
  ['net.ipv4.tcp_tw_reuse', '2', '1'],
  ['net.ipv4.ip_local_port_range', '32768 60999', '16384 65535'],
  ['net.ipv4.ip_local_port_range', '1024 65535', '1024 65535'],
  ['net.ipv4.tcp_rmem', '4096 131072 1048576', '4096 131072 4194304'],
  ['net.ipv4.tcp_rmem', '4096 131072 33554432', '4096 131072 33554432'],
  ['net.netfilter.nf_conntrack_max', '8192', '14480'],
  ['vm.swappiness', '60', '10'],
  ['vm.swappiness', '1', '1'],
  ['net.core.default_qdisc', 'pfifo_fast', 'fq'],
])('%s: %s becomes %s', (key, current, wanted) => {
  expect(wish(key, current)).toBe(wanted);
});

describe('what depends on the machine', () => {
  it('leaves the congestion control alone where there is no BBR', () => {
    const keys = tuneKeys({ ...FACTS, bbr: false }).map(({ key }) => key);
    expect(keys).not.toContain('net.ipv4.tcp_congestion_control');
    expect(keys).not.toContain('net.core.default_qdisc');
  });

  it('never asks for more than 16 MB a buffer', () => {
    const most = wish('net.ipv4.tcp_wmem', '4096 16384 0', { ...FACTS, memoryMb: 262_144 });
    expect(most).toBe('4096 16384 16777216');
  });

  it.each([
    ['', '20000'],
    ['8080,9000-9100', '8080,9000-9100,20000'],
    ['19000-21000', '19000-21000'],
    ['20000', '20000'],
  ])('reserves a port among the outgoing ones beside %j', (current, wanted) => {
    expect(wish('net.ipv4.ip_local_reserved_ports', current, { ...FACTS, port: 20_000 })).toBe(wanted);
    expect(wish('net.ipv4.ip_local_reserved_ports', current)).toBeUndefined();
  });
});
