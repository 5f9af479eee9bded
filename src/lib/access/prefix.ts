import { ipFamily, ipv6Words } from '../protocol/ip-address.ts';

/** A network: an address and how many of its first bits count (RFC 4632 §3.1, RFC 4291 §2.3). */
export interface Prefix {
  family: 4 | 6;
  /** 32-bit words, one or four of them, with nothing set beyond `bits`. */
  words: readonly number[];
  bits: number;
}

const WORD = 32;
const V4_MAPPED = [0, 0, 0xffff] as const;

/**
 * Read `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`; null when it is none. Bits beyond the length must be zero: `192.0.2.1/24`
 * is more likely a slip than a wish. An IPv4 address in IPv6 clothes is IPv4 (RFC 4291 §2.5.5.2).
 */
export function parsePrefix(text: string): Prefix | null {
  const [address = '', length, ...rest] = text.split('/');
  if (rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) return null;
  const words = addressWords(address);
  if (words === null) return null;
  const clothed = words.length === 1 && address.includes(':');
  const widest = WORD * words.length;
  const bits = length === undefined ? widest : Number(length) - (clothed ? 96 : 0);
  if (bits < 0 || bits > widest) return null;
  const prefix = cut(words, bits);
  return prefix.words.every((word, at) => word === words[at]) ? prefix : null;
}

/** The 32-bit words of an address as the kernel or a person writes it, one for IPv4 and four for IPv6; null when it is none. */
export function addressWords(address: string): number[] | null {
  if (ipFamily(address) === 4) return [v4Number(address)];
  const halves = address.includes(':') ? ipv6Words(withoutZone(address)) : null;
  if (halves === null) return null;
  const words = [0, 2, 4, 6].map((at) => (((halves[at] as number) << 16) | (halves[at + 1] as number)) >>> 0);
  return V4_MAPPED.every((word, at) => words[at] === word) ? words.slice(3) : words;
}

/** The first `bits` of an address, as `addressWords` returns it. */
export function cut(words: readonly number[], bits: number): Prefix {
  const kept = words.map((word, at) => (word & maskOf(bits - WORD * at)) >>> 0);
  return { family: words.length === 1 ? 4 : 6, words: kept, bits };
}

/** The last address of a network. */
export function lastOf({ words, bits }: Prefix): number[] {
  return words.map((word, at) => (word | ~maskOf(bits - WORD * at)) >>> 0);
}

/** Whether an address, as `addressWords` returns it, or a narrower prefix lies in this one. */
export function contains(prefix: Prefix, words: readonly number[], bits = WORD * words.length): boolean {
  if (prefix.words.length !== words.length || bits < prefix.bits) return false;
  return prefix.words.every((word, at) => ((words[at] as number) & maskOf(prefix.bits - WORD * at)) >>> 0 === word);
}

/** The shortest form (RFC 5952); a whole address without its length. */
export function formatPrefix({ words, bits }: Prefix): string {
  const address = words.length === 1 ? formatV4(words[0] as number) : formatV6(words);
  return bits === WORD * words.length ? address : `${address}/${bits}`;
}

/** Order of addresses of one family: below, at or above 0, as for a sort. */
export function compareWords(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < a.length; at++) {
    const difference = (a[at] as number) - (b[at] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Order of networks: by family, by where they begin, and the wide ones first. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  return a.family - b.family || compareWords(a.words, b.words) || a.bits - b.bits;
}

/** An address or the first one of a network as a number, and back; `count` is how many words it has. */
export function wordsToBigInt(words: readonly number[]): bigint {
  return words.reduce((whole, word) => (whole << 32n) | BigInt(word), 0n);
}

export function bigIntToWords(value: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, at) => Number((value >> BigInt(WORD * (count - 1 - at))) & 0xffffffffn));
}

/** Ones in the first `bits` of a word. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= WORD ? 0xffffffff : (0xffffffff << (WORD - bits)) >>> 0;
}

function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
}

function v4Number(address: string): number {
  return address.split('.').reduce((whole, part) => whole * 256 + Number(part), 0);
}

function formatV4(word: number): string {
  return [24, 16, 8, 0].map((shift) => (word >>> shift) & 0xff).join('.');
}

function formatV6(words: readonly number[]): string {
  const halves = words.flatMap((word) => [word >>> 16, word & 0xffff]).map((half) => half.toString(16));
  const zeros = longestZeros(halves);
  if (zeros.count < 2) return halves.join(':');
  return `${halves.slice(0, zeros.at).join(':')}::${halves.slice(zeros.at + zeros.count).join(':')}`;
}

/** Of runs of the same length the first (RFC 5952 §4.2.3). */
function longestZeros(halves: readonly string[]): { at: number; count: number } {
  let best = { at: 0, count: 0 };
  let run = 0;
  for (const [at, half] of halves.entries()) {
    run = half === '0' ? run + 1 : 0;
    if (run > best.count) best = { at: at - run + 1, count: run };
  }
  return best;
}
