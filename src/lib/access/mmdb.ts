import { readFile, stat } from 'node:fs/promises';
import type { CountryResponse, Reader } from 'mmdb-lib';
import { EXIT, MtpError } from '../errors.ts';
import { fileError } from '../system/files.ts';
import { cut, formatPrefix, type Prefix } from './prefix.ts';

/** Which country networks are in, from a file in the MaxMind DB format (maxmind.github.io/MaxMind-DB). */
export interface CountryDatabase {
  file: string;
  /** What the file calls itself, such as `GeoLite2-Country`. */
  type: string;
  /** Unix time in ms. */
  builtAt: number;
  /** The country of an address; null for an unknown one. */
  lookUp: (address: string) => string | null;
  /**
   * Go through all networks: `decide` says something of a country, or of null for an unknown one, and `found` hears of the
   * widest networks that the same is said of.
   */
  walk: (decide: (country: string | null) => boolean, found: (prefix: Prefix, said: boolean) => void) => void;
  /** The codes that are in it. */
  countries: () => ReadonlySet<string>;
}

const MOST_BYTES = 256 * 2 ** 20;
const V4_DEPTH = 96;
const V6_DEPTH = 128;

export async function openCountryDatabase(file: string): Promise<CountryDatabase> {
  const bytes = await readBounded(file);
  const { Reader } = await import('mmdb-lib');
  try {
    const reader = new Reader<CountryResponse>(bytes);
    // What is no database is found out by the first look at it.
    countryOf(reader.get('192.0.2.1'));
    return open(file, bytes, reader);
  } catch (error) {
    throw damaged(file, error);
  }
}

async function readBounded(file: string): Promise<Buffer> {
  try {
    const found = await stat(file);
    if (!found.isFile()) throw damaged(file, new Error('it is no plain file'));
    if (found.size > MOST_BYTES) throw damaged(file, new Error(`it has more than ${MOST_BYTES / 2 ** 20} MB`));
    return await readFile(file);
  } catch (error) {
    throw fileError('read', file, error);
  }
}

function open(file: string, bytes: Buffer, reader: Reader<CountryResponse>): CountryDatabase {
  const { databaseType, buildEpoch, ipVersion } = reader.metadata;
  const tree = treeOf(bytes, reader);
  const walk: CountryDatabase['walk'] = (decide, found) => {
    try {
      if (ipVersion === 4) walkTree(tree, { root: 0, words: [0], skip: null }, decide, found);
      else {
        const v4 = tree.v4Root();
        if (v4 !== null) walkTree(tree, { root: v4, words: [0], skip: null }, decide, found);
        walkTree(tree, { root: 0, words: [0, 0, 0, 0], skip: v4 }, decide, found);
      }
    } catch (error) {
      throw error instanceof MtpError ? error : damaged(file, error);
    }
  };
  return {
    file,
    type: databaseType.replace(/\p{Cc}/gu, ''),
    builtAt: buildEpoch.getTime(),
    lookUp: (address) => (address.includes(':') && ipVersion === 4 ? null : countryOf(reader.get(address))),
    walk,
    countries: () => {
      const seen = new Set<string>();
      walk(
        (country) => {
          if (country !== null) seen.add(country);
          return false;
        },
        () => undefined,
      );
      return seen;
    },
  };
}

interface Tree {
  nodes: number;
  child: (node: number, right: boolean) => number;
  /** The country that a leaf says, which `words` and `bits` lead to. */
  country: (leaf: number, words: readonly number[], bits: number) => string | null;
  /** Where the networks of IPv4 begin in a tree of IPv6; null where there are none. */
  v4Root: () => number | null;
}

function treeOf(bytes: Buffer, reader: Reader<CountryResponse>): Tree {
  const { nodeCount: nodes, recordSize, nodeByteSize } = reader.metadata;
  const read = recordReader(bytes, recordSize);
  const child: Tree['child'] = (node, right) => read(node * nodeByteSize, right);
  // Leaves of one country mostly lead to the same data.
  const known = new Map<number, string | null>();
  return {
    nodes,
    child,
    country: (leaf, words, bits) => {
      let country = known.get(leaf);
      if (country === undefined) {
        const [address = ''] = formatPrefix(cut(words, bits)).split('/');
        country = countryOf(reader.get(address));
        known.set(leaf, country);
      }
      return country;
    },
    v4Root: () => {
      let node = 0;
      for (let depth = 0; depth < V4_DEPTH && node < nodes; depth++) node = child(node, false);
      return node < nodes ? node : null;
    },
  };
}

/** A record of a node that begins at `at`: 24, 28 or 32 bits, the two of 28 sharing the byte between them. */
function recordReader(bytes: Buffer, size: number): (at: number, right: boolean) => number {
  // Byte by byte, which is four times as fast as the methods of Buffer. Behind the end is 0, which ends as a tree without end.
  const byte = (at: number): number => bytes[at] ?? 0;
  const three = (at: number): number => (byte(at) << 16) | (byte(at + 1) << 8) | byte(at + 2);
  if (size === 24) return (at, right) => three(right ? at + 3 : at);
  if (size === 32) return (at, right) => (three(right ? at + 4 : at) * 256 + byte(right ? at + 7 : at + 3)) >>> 0;
  if (size !== 28) throw new Error(`its records have ${size} bits`);
  return (at, right) =>
    right ? ((byte(at + 3) & 0x0f) << 24) | three(at + 4) : ((byte(at + 3) & 0xf0) << 20) | three(at);
}

/** From a node down. `skip` is the tree of IPv4, which that of IPv6 has in several places. */
function walkTree(
  tree: Tree,
  { root, words, skip }: { root: number; words: number[]; skip: number | null },
  decide: (country: string | null) => boolean,
  found: (prefix: Prefix, said: boolean) => void,
): void {
  const longest = words.length === 1 ? V6_DEPTH - V4_DEPTH : V6_DEPTH;
  let left = tree.nodes;
  /** What is said of all below; null where that is not one thing, and `found` has heard of it. */
  const visit = (node: number, depth: number): boolean | null => {
    if (node === tree.nodes || node === skip) return decide(null);
    if (node > tree.nodes) return decide(tree.country(node, words, depth));
    if (depth >= longest || left-- <= 0) throw new Error('its tree has no end');
    const [word, bit] = [depth >>> 5, (0x80000000 >>> (depth & 31)) >>> 0];
    const lower = visit(tree.child(node, false), depth + 1);
    const at = words[word] as number;
    const upperAt = (at | bit) >>> 0;
    words[word] = upperAt;
    const upper = visit(tree.child(node, true), depth + 1);
    words[word] = at;
    if (lower === upper) return lower;
    if (lower !== null) found(cut(words, depth + 1), lower);
    if (upper !== null) found(cut([...words.slice(0, word), upperAt, ...words.slice(word + 1)], depth + 1), upper);
    return null;
  };
  const all = visit(root, 0);
  if (all !== null) found(cut(words, 0), all);
}

/** In the words of MaxMind and DB-IP, of IPinfo, and of lists that have the code alone. */
function countryOf(record: unknown): string | null {
  if (typeof record !== 'object' || record === null) return null;
  const { country, registered_country: registered, country_code: code } = record as Record<string, unknown>;
  const codes = [isoCode(country), code, country, isoCode(registered)];
  const found = codes.find((one): one is string => typeof one === 'string' && /^[A-Za-z]{2}$/.test(one));
  return found?.toUpperCase() ?? null;
}

function isoCode(place: unknown): unknown {
  return typeof place === 'object' && place !== null && 'iso_code' in place ? place.iso_code : undefined;
}

function damaged(file: string, error: unknown): MtpError {
  const why = error instanceof Error ? error.message : String(error);
  return new MtpError('COUNTRY_DATABASE', `${file} cannot be read as a database of countries: ${why}`, {
    cause: error,
    exit: EXIT.precondition,
    hint: 'It has to be in the MaxMind DB format (.mmdb); docs/access.md says where there are some.',
  });
}
