import { ipv6Words } from '../../../lib/protocol/ip-address.ts';

/** A client's network as limits see it: one IPv4 address or one IPv6 /64, under a keyed hash that outsiders cannot steer. */
export interface Source {
  low: number;
  high: number;
}

const DOT = '.'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);

/** `address` as the kernel prints it; `seed` is two random words, drawn at start. */
export function sourceOf(address: string, seed: readonly [number, number]): Source {
  const mapped = address.startsWith('::ffff:') ? address.slice(7) : address;
  let first: number;
  let second: number;
  if (!mapped.includes(':')) {
    first = ipv4Number(mapped);
    second = 4;
  } else {
    const zone = address.indexOf('%');
    const words = ipv6Words(zone === -1 ? address : address.slice(0, zone)) ?? [0, 0, 0, 0];
    first = ((words[0] as number) << 16) | (words[1] as number);
    second = ((words[2] as number) << 16) | (words[3] as number);
  }
  const low = mix(mix(seed[0] ^ first) ^ second);
  const high = mix(mix(seed[1] ^ second) ^ first ^ low);
  // Zero marks an empty slot.
  return { low: low === 0 ? 1 : low, high };
}

/** A user or secret by its id, as two words. */
export function wordsOf(id: string): [number, number] {
  let [low, high] = [id.length, 0];
  for (let at = 0; at < id.length; at++) {
    low = mix(low ^ id.charCodeAt(at));
    high = mix(high ^ low);
  }
  return [low, high];
}

/** The source as one user's, who goes by two words: the same for the same two in every engine, and else another. */
export function sourceOfUser({ low, high }: Source, first: number, second: number): Source {
  const mixed = mix(low ^ first);
  return { low: mixed === 0 ? 1 : mixed, high: mix(high ^ second ^ mixed) };
}

/** The 32 bits of a dotted address. */
function ipv4Number(address: string): number {
  let [whole, part] = [0, 0];
  for (let at = 0; at < address.length; at++) {
    const code = address.charCodeAt(at);
    if (code === DOT) {
      whole = (whole << 8) | part;
      part = 0;
    } else {
      part = part * 10 + code - ZERO;
    }
  }
  return (whole << 8) | part;
}

/** A 32-bit finalizer with full avalanche. */
function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}
