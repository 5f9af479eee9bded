import { ipFamily, ipv6Words } from '../protocol/ip-address.ts';

/** Blocks of addresses by family, in canonical text (`10.0.0.0/8`, `2001:db8::/48`), none within another. */
export interface Networks {
  v4: string[];
  v6: string[];
}

interface Block {
  family: 4 | 6;
  /** First and last address. */
  first: bigint;
  last: bigint;
  bits: number;
}

/** Put blocks in order for a firewall, which refuses a set where one block holds another. */
export function tidyNetworks(blocks: readonly string[]): Networks {
  const parsed = blocks.map(parseBlock);
  return { v4: tidy(parsed, 4), v6: tidy(parsed, 6) };
}

/** A block or an address in canonical text; a single address has no prefix. */
export function canonicalNetwork(text: string): string {
  return formatBlock(parseBlock(text));
}

/** The family of the client that an address stands for: `::ffff:192.0.2.1` is the IPv4 address 192.0.2.1. */
export function plainAddress(address: string): string {
  const zoneless = address.replace(/%.*$/, '');
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(zoneless)?.[1] ?? zoneless;
}

function tidy(blocks: Block[], family: 4 | 6): string[] {
  const ofFamily = blocks.filter((block) => block.family === family);
  const kept: Block[] = [];
  const byStart = ofFamily.toSorted((a, b) => compare(a.first, b.first) || compare(b.last, a.last));
  for (const block of byStart) {
    const before = kept.at(-1);
    if (before === undefined || block.first > before.last) kept.push(block);
  }
  return mergeHalves(kept).map(formatBlock);
}

/** Two halves of a block become that block, as the kernel shows them. */
function mergeHalves(blocks: Block[]): Block[] {
  const merged: Block[] = [];
  for (const block of blocks) {
    merged.push(block);
    for (;;) {
      const [a, b] = merged.slice(-2);
      if (a === undefined || b === undefined || a.bits !== b.bits || a.last + 1n !== b.first) break;
      const size = b.last - a.first + 1n;
      if (a.first % size !== 0n) break;
      merged.splice(-2, 2, { ...a, last: b.last, bits: a.bits - 1 });
    }
  }
  return merged;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function parseBlock(text: string): Block {
  const [address = '', prefix] = text.split('/');
  const family = ipFamily(address);
  if (family === 0) throw new Error(`${text} is no address`);
  const width = family === 4 ? 32 : 128;
  const bits = prefix === undefined ? width : Number(prefix);
  const size = 1n << BigInt(width - bits);
  const value = family === 4 ? fromParts(address.split('.').map(Number), 8n) : fromParts(ipv6Words(address) ?? [], 16n);
  const first = value - (value % size);
  return { family, first, last: first + size - 1n, bits };
}

function fromParts(parts: number[], width: bigint): bigint {
  return parts.reduce((value, part) => (value << width) | BigInt(part), 0n);
}

function formatBlock({ family, first, bits }: Block): string {
  const width = family === 4 ? 32 : 128;
  const address = family === 4 ? formatV4(first) : formatV6(first);
  return bits === width ? address : `${address}/${bits}`;
}

function formatV4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
}

/** The form of RFC 5952, which URLs share. */
function formatV6(value: bigint): string {
  const words = Array.from({ length: 8 }, (_, at) => ((value >> BigInt(16 * (7 - at))) & 0xffffn).toString(16));
  return new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1);
}
