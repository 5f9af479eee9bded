import { lookUp, packRanges, type RangeTable } from './range-table.ts';
import { type Ruling, type Verdict, VERDICTS } from './ruling.ts';

/** Rulings as the engine looks them up. Plain data: it crosses processes. */
export interface PackedRulings {
  /** Values are one more than a place in the columns. */
  ranges: RangeTable;
  /** Places in `VERDICTS`, one more; 0 lets in. */
  verdicts: Uint8Array;
  /** Unix time in seconds; 0 is never. */
  untils: Uint32Array;
}

export interface Found {
  verdict: Verdict | null;
  until: number | null;
}

/** Networks with the same outcome share a place. */
export function packRulings(rulings: readonly Ruling[]): PackedRulings {
  const places = new Map<string, number>();
  const outcomes: Found[] = [];
  const rules = rulings.map(({ prefix, verdict, until }) => {
    const name = `${verdict} ${until}`;
    const known = places.get(name);
    if (known !== undefined) return { prefix, value: known };
    outcomes.push({ verdict, until });
    places.set(name, outcomes.length);
    return { prefix, value: outcomes.length };
  });
  return {
    ranges: packRanges(rules),
    verdicts: Uint8Array.from(outcomes, ({ verdict }) => (verdict === null ? 0 : VERDICTS.indexOf(verdict) + 1)),
    untils: Uint32Array.from(outcomes, ({ until }) => until ?? 0),
  };
}

/** What is ruled of an address, as `addressWords` returns it, at `now`, Unix seconds; null for nothing. */
export function rulingAt(
  { ranges, verdicts, untils }: PackedRulings,
  words: readonly number[],
  now: number,
): Found | null {
  const place = lookUp(ranges, words) - 1;
  if (place < 0) return null;
  const until = untils[place] as number;
  if (until !== 0 && now >= until) return null;
  return { verdict: VERDICTS[(verdicts[place] as number) - 1] ?? null, until: until === 0 ? null : until };
}

/** The same in memory that threads share, so that each of them needs none of its own. */
export function shareRulings({ ranges: { v4, v6 }, verdicts, untils }: PackedRulings): PackedRulings {
  return {
    ranges: {
      v4: { starts: shareWords(v4.starts), values: shareWords(v4.values) },
      v6: { starts: shareWords(v6.starts), values: shareWords(v6.values) },
    },
    verdicts,
    untils,
  };
}

function shareWords(words: Uint32Array): Uint32Array {
  const shared = new Uint32Array(new SharedArrayBuffer(words.byteLength));
  shared.set(words);
  return shared;
}
