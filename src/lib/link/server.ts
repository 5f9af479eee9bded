import { BlockList } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

/** From where a client can reach the server. */
export type Reach = 'public' | 'private' | 'loopback';

export interface ServerChoice {
  server: string;
  reach: Reach;
  from: 'config' | 'interface';
}

export interface ServerFacts {
  /** `link.server` of the configuration, if set. */
  configured: string | null | undefined;
  /** As of `os.networkInterfaces()`. */
  interfaces: Record<string, NetworkInterfaceInfo[] | undefined>;
}

const LOOPBACK = subnets(['127.0.0.0', 8]);

/** Special-purpose IPv4 blocks that no client on the internet reaches (RFC 6890), loopback apart. */
const PRIVATE = subnets(
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
);

/** The server to name in links: the configured one, else the best IPv4 address of this machine. */
export function chooseServer({ configured, interfaces }: ServerFacts): ServerChoice {
  if (configured !== null && configured !== undefined && configured !== '') {
    return { server: configured, reach: hostReach(configured), from: 'config' };
  }
  const addresses = Object.values(interfaces)
    .flatMap((entries) => entries ?? [])
    .filter(({ family }) => family === 'IPv4')
    .map(({ address }) => ({ server: address, reach: ipv4Reach(address), from: 'interface' as const }));
  const first = (reach: Reach): ServerChoice | undefined => addresses.find((choice) => choice.reach === reach);
  return (
    first('public') ??
    first('private') ??
    first('loopback') ?? { server: '127.0.0.1', reach: 'loopback', from: 'interface' }
  );
}

/** A name is taken at the operator's word; an IPv4 address says itself where it can be reached. */
function hostReach(host: string): Reach {
  if (host === 'localhost' || host === '::1') return 'loopback';
  return /^\d+(\.\d+){3}$/.test(host) ? ipv4Reach(host) : 'public';
}

function ipv4Reach(address: string): Reach {
  if (LOOPBACK.check(address)) return 'loopback';
  return PRIVATE.check(address) ? 'private' : 'public';
}

function subnets(...nets: [string, number][]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of nets) list.addSubnet(net, prefix);
  return list;
}
