import type { Counter, UsageSample } from '../../lib/usage/record.ts';

/** What the counters of one engine said at one moment. */
export interface Figures {
  epoch: string;
  /** Unix ms. */
  at: number;
  rows: readonly (Counter & { era: number })[];
}

/** As samples for the ledger, to which counters that began anew are those of another engine. */
export function samplesOf({ epoch, at, rows }: Figures): UsageSample[] {
  return [...Map.groupBy(rows, ({ era }) => era)].map(([era, counters]) => ({
    epoch: era === 0 ? epoch : `${epoch}.${era}`,
    at,
    counters,
  }));
}
