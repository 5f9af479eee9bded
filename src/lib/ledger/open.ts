import { Kysely, sql } from 'kysely';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { createPrivate, ensureDirectory } from '../system/files.ts';
import { withLock } from '../system/lock.ts';
import { sqliteDialect } from './dialect.ts';
import { ledgerError, newerLedger } from './failure.ts';
import { SCHEMA, type Tables } from './schema.ts';
import { connect } from './sqlite.ts';

export type Ledger = Kysely<Tables>;

/**
 * Do something with the ledger, which is made or brought up to date first where that is needed. Errors of the database come
 * out as an MtpError that names the file.
 */
export async function withLedger<Result>(file: string, action: (ledger: Ledger) => Promise<Result>): Promise<Result> {
  try {
    const ledger = await open(file);
    try {
      return await action(ledger);
    } finally {
      await ledger.destroy();
    }
  } catch (error) {
    throw ledgerError(file, error);
  }
}

/** One change, whole or not at all, after those of other processes; it may read what it bases itself on. */
export async function changeLedger<Result>(
  ledger: Ledger,
  change: (ledger: Ledger) => Promise<Result>,
): Promise<Result> {
  return ledger.transaction().execute(async (inside) => {
    const result = await change(inside);
    await markChange(inside);
    return result;
  });
}

/** As `changeLedger`, for figures, which no other process has to take over. */
export async function countInLedger<Result>(
  ledger: Ledger,
  change: (ledger: Ledger) => Promise<Result>,
): Promise<Result> {
  return ledger.transaction().execute(change);
}

const GENERATION = 'generation';

/** A word that is another after every change but of figures, those of other processes included; null before the first. */
export async function readGeneration(ledger: Ledger): Promise<string | null> {
  const row = await ledger.selectFrom('meta').select('value').where('key', '=', GENERATION).executeTakeFirst();
  return row?.value ?? null;
}

async function markChange(ledger: Ledger): Promise<void> {
  const value = randomBytes(8).toString('hex');
  await ledger
    .insertInto('meta')
    .values({ key: GENERATION, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
}

/** Reads that belong together: all see the same state. */
export async function readLedger<Result>(ledger: Ledger, read: (ledger: Ledger) => Promise<Result>): Promise<Result> {
  return ledger.transaction().setAccessMode('read only').execute(read);
}

async function open(file: string): Promise<Ledger> {
  await ensureDirectory(path.dirname(file));
  await createPrivate(file);
  const ledger = new Kysely<Tables>({ dialect: sqliteDialect(connect(file)) });
  try {
    if (!(await isCurrent(ledger, file))) await withLock(`${file}.lock`, async () => setUp(ledger, file));
    return ledger;
  } catch (error) {
    await ledger.destroy();
    throw error;
  }
}

/** Somebody else may have done it while we waited for the lock. */
async function setUp(ledger: Ledger, file: string): Promise<void> {
  if (await isCurrent(ledger, file)) return;
  await sql`pragma journal_mode = wal`.execute(ledger);
  const { migrate } = await import('./migrate.ts');
  await migrate(ledger);
}

/** Whether the schema is ours; one that this version does not know is an error. */
async function isCurrent(ledger: Ledger, file: string): Promise<boolean> {
  const tables = await sql`select 1 from sqlite_schema where name = 'kysely_migration'`.execute(ledger);
  if (tables.rows.length === 0) return false;
  const { rows } = await sql<{ name: string }>`select max(name) as name from kysely_migration`.execute(ledger);
  const name = rows[0]?.name ?? '';
  if (name > SCHEMA) throw newerLedger(file, name);
  return name === SCHEMA;
}
