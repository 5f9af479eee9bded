import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { addressWords, contains, cut, parsePrefix, type Prefix } from '../access/prefix.ts';

/** Who is never banned, whatever it does: this machine itself, its balancers, and who administers it right now. */

const SSH_PORT = 22;
/** Of a TCP connection (include/net/tcp_states.h). */
const ESTABLISHED = '01';

export interface Exempt {
  prefix: Prefix;
  /** Such as `this machine`. */
  who: string;
}

/** `balancers` are the networks of `listen.proxy_protocol_from`. */
export async function exemptions(balancers: readonly string[], environment: NodeJS.ProcessEnv): Promise<Exempt[]> {
  const peers = [...(await sshPeers()), (environment['SSH_CONNECTION'] ?? '').split(' ')[0] ?? ''];
  return [
    ...['127.0.0.0/8', '::1'].map((network) => ({ prefix: parsePrefix(network) as Prefix, who: 'this machine' })),
    ...ownAddresses().flatMap((address) => exempt(address, 'this machine')),
    ...balancers.flatMap((network) => exempt(network, 'a balancer of listen.proxy_protocol_from')),
    ...peers.flatMap((address) => exempt(address, 'somebody who is logged in over SSH')),
  ];
}

/** Whom of them a ban of this network would hit. */
export function hitBy(prefix: Prefix, exempted: readonly Exempt[]): Exempt | undefined {
  return exempted.find(
    (each) => contains(prefix, each.prefix.words, each.prefix.bits) || contains(each.prefix, prefix.words, prefix.bits),
  );
}

function exempt(network: string, who: string): Exempt[] {
  const prefix = parsePrefix(network);
  return prefix === null ? [] : [{ prefix, who }];
}

function ownAddresses(): string[] {
  return Object.values(os.networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
}

/** Peers of the open connections to the SSH port, as the kernel lists them. */
async function sshPeers(): Promise<string[]> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map(async (file) => readFile(file, 'utf8').catch(() => '')),
  );
  return tables.flatMap((table) =>
    table.split('\n').flatMap((line) => {
      const [, local = '', remote = '', state] = line.trim().split(/\s+/);
      const [, port = ''] = local.split(':');
      if (state !== ESTABLISHED || Number.parseInt(port, 16) !== SSH_PORT) return [];
      const address = kernelAddress(remote.split(':')[0] ?? '');
      return address === null ? [] : [address];
    }),
  );
}

/** An address as /proc/net/tcp has it: 32-bit words in the byte order of the machine, little-endian on all that Node runs on. */
export function kernelAddress(hex: string): string | null {
  if (!/^(?:[0-9A-F]{8}|[0-9A-F]{32})$/i.test(hex)) return null;
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].reverse());
  if (bytes.length === 4) return bytes.join('.');
  return Array.from({ length: 8 }, (_, at) =>
    (((bytes[2 * at] as number) << 8) | (bytes[2 * at + 1] as number)).toString(16),
  ).join(':');
}

/** The network that an address stands for: an IPv4 address by itself, an IPv6 address with its /64. */
export function networkOf(address: string): Prefix | null {
  const words = addressWords(address);
  return words === null ? null : cut(words, words.length === 1 ? 32 : 64);
}
