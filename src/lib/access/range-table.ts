import { comparePrefixes, compareWords, lastOf, type Prefix } from './prefix.ts';

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
  return words.length === 1 ? rangeOfV4(table.v4.starts, words[0] as number) : rangeOfV6(table.v6.starts, words);
}

function rangeOfV4(starts: Uint32Array, word: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as number) > word) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

function rangeOfV6(starts: Uint32Array, words: readonly number[]): number {
  let low = 0;
  let high = starts.length >>> 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAfter(starts, middle << 2, words)) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

/** Whether the start at `at` lies behind the address. */
function isAfter(starts: Uint32Array, at: number, words: readonly number[]): boolean {
  for (let word = 0; word < 4; word++) {
    const start = starts[at + word] as number;
    const own = words[word] as number;
    if (start !== own) return start > own;
  }
  return false;
}

/** A network that was begun and not ended yet. */
interface Open {
  last: readonly number[];
  value: number;
}

function pack(rules: readonly RangeRule[], width: 1 | 4): PackedRanges {
  // Wide ones first where they start together, so that what is opened later is more specific; a sort keeps the order of equals.
  const sorted = rules.toSorted((a, b) => comparePrefixes(a.prefix, b.prefix));
  const starts: (readonly number[])[] = [];
  const values: number[] = [];
  const open: Open[] = [];
  const from = (start: readonly number[], value: number): void => {
    const before = starts.at(-1);
    if (before !== undefined && compareWords(before, start) === 0) {
      starts.pop();
      values.pop();
    }
    // A border between two that say the same is none.
    if ((values.at(-1) ?? 0) === value) return;
    starts.push(start);
    values.push(value);
  };
  /** End the networks that lie before an address; all of them without one. */
  const closeBefore = (start: readonly number[] | null): void => {
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      if (start !== null && compareWords(top.last, start) >= 0) return;
      open.pop();
      const next = nextAddress(top.last);
      if (next !== null) from(next, open.at(-1)?.value ?? 0);
    }
  };
  for (const { prefix, value } of sorted) {
    closeBefore(prefix.words);
    open.push({ last: lastOf(prefix), value });
    from(prefix.words, value);
  }
  closeBefore(null);
  const packed = new Uint32Array(starts.length * width);
  for (const [at, words] of starts.entries()) packed.set(words, at * width);
  return { starts: packed, values: Uint32Array.from(values) };
}

/** The address behind one; null behind the last of all. */
function nextAddress(words: readonly number[]): number[] | null {
  const next = [...words];
  for (let at = next.length - 1; at >= 0; at--) {
    const word = ((next[at] as number) + 1) >>> 0;
    next[at] = word;
    if (word !== 0) return next;
  }
  return null;
}
