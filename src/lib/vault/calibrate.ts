import { COST, costBytes, SCRYPT_P, SCRYPT_R } from './cost.ts';
import { stretch } from './chunks.ts';

/** What one cost takes on this machine. */
export interface CostMeasure {
  cost: number;
  bytes: number;
  ms: number;
}

export interface Calibration {
  measures: CostMeasure[];
  /** The dearest that keeps to both limits; the cheapest there is where none does. */
  suggested: { cost: number; N: number; r: number; p: number };
  /** Whether the suggested one keeps to both. */
  fits: boolean;
}

const TRIES = 3;

/**
 * Measure costs from the cheapest up, until one takes longer than `targetMs` or more than `mostBytes`. `now` is in ms; of some
 * tries the fastest counts, because others slow a machine down but nobody speeds it up.
 */
export async function calibrate(
  { targetMs, mostBytes }: { targetMs: number; mostBytes: number },
  now: () => number,
): Promise<Calibration> {
  const measures: CostMeasure[] = [];
  for (let cost: number = COST.least; cost <= COST.most && costBytes(cost) <= mostBytes; cost++) {
    let ms = Infinity;
    for (let left = TRIES; left > 0 && (ms > targetMs || left === TRIES); left--) {
      const from = now();
      await stretch(Buffer.from('a passphrase to measure with'), Buffer.alloc(32), cost);
      ms = Math.min(ms, now() - from);
    }
    measures.push({ cost, bytes: costBytes(cost), ms: Math.round(ms) });
    if (ms > targetMs) break;
  }
  const best = measures.findLast(({ ms }) => ms <= targetMs);
  const cost = best?.cost ?? COST.least;
  return { measures, suggested: { cost, N: 2 ** cost, r: SCRYPT_R, p: SCRYPT_P }, fits: best !== undefined };
}
