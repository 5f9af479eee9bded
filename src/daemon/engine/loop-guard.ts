import { isOwnAddress } from './cover-target.ts';
import { LoopFilter } from './shared/loop-filter.ts';

/** Copies of one hello at the cover at once, from anywhere, that can only be a loop. */
const LOOP_DEPTH = 8;

/**
 * Whether an opening from `host` is one that we sent to the cover ourselves: it is out there right now and came back from an
 * address of this machine, or over and over (through a router that hides where it came from).
 */
export function isLoop(loops: LoopFilter, opening: Buffer, host: string): boolean {
  const cell = LoopFilter.cellOf(opening);
  if (cell === null) return false;
  const out = loops.count(cell);
  return out >= LOOP_DEPTH || (out > 0 && isOwnAddress(host));
}
