import type * as Sqlite from 'node:sqlite';

/** Waits for what other processes hold for moments only: the recovery of the log, the end of the last connection. */
const BUSY_MS = 5000;

let loaded: typeof Sqlite | undefined;

/** A connection to an SQLite database that keeps what it is told: a commit is on the disk when it returns. */
export function connect(file: string): Sqlite.DatabaseSync {
  loaded ??= loadSqlite();
  const database = new loaded.DatabaseSync(file, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
  try {
    database.exec('PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * SQLite as it comes with Node, loaded when it is first needed. Node calls the module experimental on stderr; its version
 * is what `engines` in package.json allows, and that line is no concern of who types a command.
 */
function loadSqlite(): typeof Sqlite {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** The number of an SQLite error, without its extension (sqlite.org/rescode.html); undefined for anything else. */
export function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined;
}

export const BUSY = 5;
