import { bigIntToWords, lastOf, type Prefix, wordsToBigInt } from './prefix.ts';

/**
 * Networks and what holds in them, for a lookup on every connection: disjoint ranges in order, so that looking one up is a
 * binary search. Where networks overlap, the most specific one holds; of the same network, the one that was named last.
 */

/** Of one family. `starts` has one or four words a range; what holds from there is in `values`, 0 for nothing. */
export interface PackedRanges {
  starts: Uint32Array;
  values: Uint32Array;
}

export interface RangeTable {
  v4: PackedRanges;
  v6: PackedRanges;
}

/** A network and a number that is not 0: 32 bits for the caller to fill. */
export interface RangeRule {
  prefix: Prefix;
  value: number;
}

const WORD = 32;

export function packRanges(rules: readonly RangeRule[]): RangeTable {
  return {
    v4: pack(
      rules.filter(({ prefix }) => prefix.family === 4),
      1,
    ),
    v6: pack(
      rules.filter(({ prefix }) => prefix.family === 6),
      4,
    ),
  };
}

/** What holds for an address, as `addressWords` returns it; 0 for nothing. */
export function lookUp(table: RangeTable, words: readonly number[]): number {
  return (words.length === 1 ? table.v4 : table.v6).values[rangeOf(table, words)] ?? 0;
}

/** Whether something holds for the whole of a network, and the same for all of it. */
export function isCovered(table: RangeTable, prefix: Prefix): boolean {
  const range = rangeOf(table, prefix.words);
  const { values } = prefix.family === 4 ? table.v4 : table.v6;
  return (values[range] ?? 0) !== 0 && range === rangeOf(table, lastOf(prefix));
}

/** Index of the range that an address lies in; -1 before the first. */
function rangeOf(table: RangeTable, words: readonly number[]): number {
  const { starts, values } = words.length === 1 ? table.v4 : table.v6;
  const width = words.length;
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAfter(starts, middle * width, words)) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

/** Whether the start at `at` lies behind the address. */
function isAfter(starts: Uint32Array, at: number, words: readonly number[]): boolean {
  for (let word = 0; word < words.length; word++) {
    const [start, own] = [starts[at + word] as number, words[word] as number];
    if (start !== own) return start > own;
  }
  return false;
}

interface Open {
  /** First address behind the network; null behind the last one of all. */
  end: bigint | null;
  value: number;
}

function pack(rules: readonly RangeRule[], width: 1 | 4): PackedRanges {
  // Wide ones first where they start together, so that what is opened later is more specific; a sort keeps the order of equals.
  const sorted = rules
    .map(({ prefix, value }) => ({ start: wordsToBigInt(prefix.words), bits: prefix.bits, value }))
    .sort((a, b) => (a.start === b.start ? a.bits - b.bits : a.start < b.start ? -1 : 1));
  const space = BigInt(WORD * width);
  const starts: bigint[] = [];
  const values: number[] = [];
  const open: Open[] = [];
  const from = (start: bigint, value: number): void => {
    if (starts.at(-1) === start) {
      starts.pop();
      values.pop();
    }
    // A border between two that say the same is none.
    if ((values.at(-1) ?? 0) === value) return;
    starts.push(start);
    values.push(value);
  };
  const closeUpTo = (limit: bigint | null): void => {
    for (let top = open.at(-1); top !== undefined && isOver(top.end, limit); top = open.at(-1)) {
      open.pop();
      if (top.end !== null) from(top.end, open.at(-1)?.value ?? 0);
    }
  };
  for (const { start, bits, value } of sorted) {
    closeUpTo(start);
    const end = start + (1n << (space - BigInt(bits)));
    open.push({ end: end === 1n << space ? null : end, value });
    from(start, value);
  }
  closeUpTo(null);
  return {
    starts: Uint32Array.from(starts.flatMap((start) => bigIntToWords(start, width))),
    values: Uint32Array.from(values),
  };
}

/** Whether a network that ends there is left behind when the next one starts at `limit`; null is the end of all. */
function isOver(end: bigint | null, limit: bigint | null): boolean {
  return limit === null || (end !== null && end <= limit);
}
