import { statfsSync } from 'node:fs';
import path from 'node:path';
import { EXIT, MtpError, type MtpErrorOptions } from '../errors.ts';
import { fileError } from '../system/files.ts';
import { resultCode } from './sqlite.ts';

const RESTORE = 'mtp leaves it as it is. Put a copy back in its place, as docs/users.md says.';
const OWNER = 'Run as the owner of that path or as root, or choose another with --home.';

/** What an error of SQLite means (sqlite.org/rescode.html); the rest is a bug and passes through. */
const MEANINGS: Record<number, { code: string; text: string; hint: string } & Pick<MtpErrorOptions, 'exit'>> = {
  5: locked(),
  6: locked(),
  8: { code: 'LEDGER_READONLY', text: 'may not be written', hint: OWNER },
  10: {
    code: 'LEDGER_IO',
    text: 'cannot be read or written: the disk reports an error',
    hint: 'Check the disk; see: dmesg',
  },
  11: { code: 'LEDGER_DAMAGED', text: 'is damaged', hint: RESTORE },
  13: full(),
  14: { code: 'LEDGER_UNREADABLE', text: 'cannot be opened', hint: OWNER },
  26: { code: 'LEDGER_DAMAGED', text: 'is damaged: it is not a database', hint: RESTORE },
};
const IO_ERROR = 10;

/** An error of the database in one line that names the file and what to do. */
export function ledgerError(file: string, error: unknown): unknown {
  if (error instanceof MtpError) return error;
  const result = resultCode(error);
  const meaning = result === IO_ERROR && isFull(file) ? full() : MEANINGS[result ?? 0];
  if (meaning === undefined) return error;
  const { code, text, hint, exit = EXIT.precondition } = meaning;
  return new MtpError(code, `the ledger ${file} ${text}`, { cause: error, exit, hint });
}

export function damagedLedger(file: string, fault: string): MtpError {
  return new MtpError('LEDGER_DAMAGED', `the ledger ${file} is damaged: ${fault}`, {
    exit: EXIT.precondition,
    hint: RESTORE,
  });
}

export function newerLedger(file: string, schema: string): MtpError {
  return new MtpError('LEDGER_NEWER', `the ledger ${file} was written by a newer mtp (its schema is ${schema})`, {
    exit: EXIT.precondition,
    hint: 'Install that version again, or put back the copy that was made before the upgrade.',
  });
}

function locked(): (typeof MEANINGS)[number] {
  return {
    code: 'LEDGER_LOCKED',
    text: 'is being changed by another process',
    hint: 'Wait for it and run the command again.',
    exit: EXIT.temporary,
  };
}

function full(): (typeof MEANINGS)[number] {
  return {
    code: 'LEDGER_FULL',
    text: 'cannot be written: no space left on the disk',
    hint: 'Free some space and run the command again; nothing was changed.',
  };
}

/** SQLite maps a part of its log into memory; where that finds no room it speaks of an I/O error. */
function isFull(file: string): boolean {
  try {
    return statfsSync(path.dirname(file)).bavail === 0;
  } catch (error) {
    throw fileError('look at', path.dirname(file), error);
  }
}
