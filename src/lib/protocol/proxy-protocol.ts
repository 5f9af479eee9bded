import { ipv6Words, isIpv4, isIpv6 } from './ip-address.ts';

/** The PROXY protocol, versions 1 and 2, in both directions (protocol.md §9; HAProxy's proxy-protocol.txt). */

export interface ProxiedPeer {
  host: string;
  port: number;
}

export type ProxyHeader =
  | { state: 'incomplete' }
  | { state: 'invalid' }
  /** `peer` is null where the sender does not name one (UNKNOWN, LOCAL, unix). `consumed` bytes belong to the header. */
  | { state: 'complete'; peer: ProxiedPeer | null; consumed: number };

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const V1_PREFIX = Buffer.from('PROXY ');
const V1_MAX = 107;
/** Addresses and TLVs that we are ready to hold; senders stay far below. */
const V2_MAX = 2048;
const INCOMPLETE: ProxyHeader = { state: 'incomplete' };
const INVALID: ProxyHeader = { state: 'invalid' };

/** Read the header at the start of `data`. */
export function readProxyHeader(data: Buffer): ProxyHeader {
  if (startsLike(data, SIGNATURE)) return readV2(data);
  if (startsLike(data, V1_PREFIX)) return readV1(data);
  return INVALID;
}

function startsLike(data: Buffer, prefix: Buffer): boolean {
  const count = Math.min(data.length, prefix.length);
  return data.subarray(0, count).equals(prefix.subarray(0, count));
}

function readV1(data: Buffer): ProxyHeader {
  const end = data.subarray(0, V1_MAX).indexOf('\r\n');
  if (end === -1) return data.length >= V1_MAX ? INVALID : INCOMPLETE;
  const consumed = end + 2;
  const fields = data.toString('latin1', 0, end).split(' ');
  const [, family, source = '', destination = '', sourcePort, destinationPort] = fields;
  if (family === 'UNKNOWN') return { state: 'complete', peer: null, consumed };
  const isAddress = family === 'TCP4' ? isIpv4 : isIpv6;
  if (fields.length !== 6 || (family !== 'TCP4' && family !== 'TCP6')) return INVALID;
  if (!isAddress(source) || !isAddress(destination)) return INVALID;
  const port = readPort(sourcePort);
  if (port === null || readPort(destinationPort) === null) return INVALID;
  return { state: 'complete', peer: { host: inWords(source), port }, consumed };
}

function readV2(data: Buffer): ProxyHeader {
  if (data.length < 16) return INCOMPLETE;
  const command = data[12] as number;
  const length = data.readUInt16BE(14);
  if ((command !== 0x20 && command !== 0x21) || length > V2_MAX) return INVALID;
  const consumed = 16 + length;
  if (data.length < consumed) return INCOMPLETE;
  const family = (data[13] as number) >> 4;
  if (command === 0x20) return { state: 'complete', peer: null, consumed };
  if (family === 1) {
    if (length < 12) return INVALID;
    return {
      state: 'complete',
      peer: { host: data.subarray(16, 20).join('.'), port: data.readUInt16BE(24) },
      consumed,
    };
  }
  if (family === 2) {
    if (length < 36) return INVALID;
    return {
      state: 'complete',
      peer: { host: ipv6Text(data.subarray(16, 32)), port: data.readUInt16BE(48) },
      consumed,
    };
  }
  return { state: 'complete', peer: null, consumed };
}

/** Header that tells `destination` about `source`; both of one family, else the form for an unknown peer. */
export function writeProxyHeader(version: 'v1' | 'v2', source: ProxiedPeer, destination: ProxiedPeer): Buffer {
  const v4 = isIpv4(source.host) && isIpv4(destination.host);
  const known = v4 || (isIpv6(source.host) && isIpv6(destination.host));
  if (version === 'v1') {
    if (!known) return Buffer.from('PROXY UNKNOWN\r\n');
    const family = v4 ? 'TCP4' : 'TCP6';
    const hosts = `${inWords(source.host)} ${inWords(destination.host)}`;
    return Buffer.from(`PROXY ${family} ${hosts} ${source.port} ${destination.port}\r\n`);
  }
  if (!known) return Buffer.concat([SIGNATURE, Buffer.from([0x20, 0x00, 0x00, 0x00])]);
  const address = (host: string): Buffer => (v4 ? Buffer.from(host.split('.').map(Number)) : ipv6Bytes(host));
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  const body = Buffer.concat([address(source.host), address(destination.host), ports]);
  return Buffer.concat([SIGNATURE, Buffer.from([0x21, v4 ? 0x11 : 0x21, 0x00, body.length]), body]);
}

function readPort(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return null;
  const port = Number(text);
  return port <= 65535 ? port : null;
}

/** An address in a form that fits into a v1 line: IPv6 as eight words, without an IPv4 tail. */
function inWords(address: string): string {
  return isIpv4(address) ? address : ipv6Text(ipv6Bytes(address));
}

function ipv6Bytes(text: string): Buffer {
  const bytes = Buffer.alloc(16);
  ipv6Words(text)?.forEach((word, index) => bytes.writeUInt16BE(word, index * 2));
  return bytes;
}

function ipv6Text(bytes: Buffer): string {
  const words: string[] = [];
  for (let at = 0; at < 16; at += 2) words.push(bytes.readUInt16BE(at).toString(16));
  return words.join(':');
}
