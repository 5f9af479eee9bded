import { sql } from 'kysely';
import { damagedLedger } from './failure.ts';
import { type Ledger } from './open.ts';

/** Look through the whole database for damage: pages, indexes, and rows that refer to nothing. Finds are an error. */
export async function checkLedger(ledger: Ledger, file: string): Promise<void> {
  const { rows } = await sql<{ quick_check: string }>`pragma quick_check(1)`.execute(ledger);
  const fault = rows[0]?.quick_check;
  if (fault !== 'ok') throw damagedLedger(file, fault ?? 'it cannot be checked');
  const orphans = await sql<{ table: string }>`pragma foreign_key_check`.execute(ledger);
  const [orphan] = orphans.rows;
  if (orphan !== undefined)
    throw damagedLedger(file, `${orphans.rows.length} rows of ${orphan.table} refer to nothing`);
}
