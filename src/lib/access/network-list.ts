import { EXIT, MtpError } from '../errors.ts';
import {
  addressWords,
  bigIntToWords,
  comparePrefixes,
  contains,
  cut,
  parsePrefix,
  type Prefix,
  wordsToBigInt,
} from './prefix.ts';

/** A text with a network a line: addresses, CIDR (as FireHOL's netsets have it) and ranges `a - b`; `#` and `;` begin comments. */
export interface NetworkList {
  /** In order, without those that lie in another one. */
  prefixes: Prefix[];
  /** Lines that say something. */
  lines: number;
  /** Those of them that name no network, the first being line 1; the first hundred. */
  faults: { line: number; text: string }[];
  /** How many those are in all. */
  wrong: number;
}

const FAULTS_KEPT = 100;
/** Far more than there is room for; what is read takes memory before it can be judged. */
const MOST_READ = 500_000;
/** Two IPv6 addresses take 93 characters. */
const LONGEST = 120;

/** Read a list. One that is much too long is an error. */
export function parseNetworkList(text: string): NetworkList {
  const found: Prefix[] = [];
  const list: NetworkList = { prefixes: [], lines: 0, faults: [], wrong: 0 };
  // Line by line, since a hostile text has millions of them. A byte order mark is none of the first.
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  for (let line = 1; at < text.length; line++) {
    const end = text.indexOf('\n', at);
    const next = end === -1 ? text.length : end;
    const said = text
      .slice(at, next)
      .replace(/[#;].*$/s, '')
      .trim();
    at = next + 1;
    if (said === '') continue;
    list.lines++;
    const networks = parseNetworks(said);
    for (const network of networks ?? []) found.push(network);
    if (found.length > MOST_READ) throw tooLong();
    if (networks !== null) continue;
    list.wrong++;
    if (list.faults.length < FAULTS_KEPT) list.faults.push({ line, text: said.slice(0, 80) });
  }
  list.prefixes = withoutCovered(found);
  return list;
}

/** A network, or those that make up a range; null when it is neither. */
export function parseNetworks(text: string): Prefix[] | null {
  if (text.length > LONGEST) return null;
  const prefix = parsePrefix(text);
  if (prefix !== null) return [prefix];
  const [first, last, ...rest] = text.split('-').map((part) => addressWords(part.trim()));
  if (!first || !last || rest.length > 0 || first.length !== last.length) return null;
  const [from, to] = [wordsToBigInt(first), wordsToBigInt(last)];
  return from <= to ? splitRange(from, to, first.length) : null;
}

/** The fewest networks that are the addresses from `from` to `to`. */
function splitRange(from: bigint, to: bigint, words: number): Prefix[] {
  const width = 32 * words;
  const networks: Prefix[] = [];
  for (let at = from; at <= to;) {
    // As wide as the zeros at its end allow, and no wider than what is left.
    let size = 0;
    while (size < width && (at & ((2n << BigInt(size)) - 1n)) === 0n && at + (2n << BigInt(size)) - 1n <= to) size++;
    networks.push(cut(bigIntToWords(at, words), width - size));
    at += 1n << BigInt(size);
  }
  return networks;
}

/** Networks in order, without those that lie in another one: in a list all say the same. */
export function withoutCovered(prefixes: readonly Prefix[]): Prefix[] {
  const kept: Prefix[] = [];
  for (const prefix of prefixes.toSorted(comparePrefixes)) {
    const before = kept.at(-1);
    if (before === undefined || !contains(before, prefix.words, prefix.bits)) kept.push(prefix);
  }
  return kept;
}

function tooLong(): MtpError {
  const most = MOST_READ.toLocaleString('en');
  return new MtpError('LIST_LONG', `the list has more than ${most} networks`, { exit: EXIT.precondition });
}
