import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { errnoCode } from '../../lib/errors.ts';
import { writeAtomic } from '../../lib/system/files.ts';
import { enterRows } from './replay-tail.ts';
import { REPLAY_ENTRY_BYTES, type ReplayTable } from './shared/replay.ts';

/**
 * Fill the table from the journal that an earlier engine left (replay-journal.ts). A torn last row, as a kill leaves it, is
 * ignored. Returns how many bytes of it the table has.
 */
export function loadReplays(file: string, table: ReplayTable, now: number): number {
  let rows: Buffer;
  try {
    rows = readFileSync(file);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return 0;
    throw error;
  }
  enterRows(rows, table, now);
  return rows.length - (rows.length % REPLAY_ENTRY_BYTES);
}

/** Rewrite the journal when it holds much more than the table; returns whether it did. */
export async function compactReplays(file: string, table: ReplayTable, now: number): Promise<boolean> {
  const live = table.dump(now);
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  if (size <= 2 * live.length && size % REPLAY_ENTRY_BYTES === 0) return false;
  await writeAtomic(file, live);
  return true;
}
