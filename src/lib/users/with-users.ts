import { existsSync, statSync } from 'node:fs';
import { EXIT, MtpError } from '../errors.ts';
import { type Ledger, withLedger } from '../ledger/open.ts';
import type { UserFiles } from './files.ts';

/** Do something with the ledger of users, made where there is none. What an earlier version left is taken over first. */
export async function withUsers<Result>(
  files: UserFiles,
  action: (ledger: Ledger) => Promise<Result>,
): Promise<Result> {
  if (existsSync(files.usersFile)) {
    const { takeOver } = await import('./take-over.ts');
    await takeOver(files);
  }
  refuseLoss(files);
  return withLedger(files.ledgerFile, action);
}

/** As `withUsers`, but where nothing has been kept yet nothing is made, and the result is `none`. */
export async function readUsers<Result>(
  files: UserFiles,
  none: Result,
  read: (ledger: Ledger) => Promise<Result>,
): Promise<Result> {
  const { usersFile, keyringFile, ledgerFile } = files;
  return [usersFile, keyringFile, ledgerFile].some((file) => existsSync(file)) ? withUsers(files, read) : none;
}

/** The keyring is made after the ledger: one without the other means that the ledger was lost. */
function refuseLoss({ ledgerFile, keyringFile }: UserFiles): void {
  if (!existsSync(keyringFile)) return;
  const found = statSync(ledgerFile, { throwIfNoEntry: false });
  if (found !== undefined && found.size > 0) return;
  throw new MtpError(
    'LEDGER_MISSING',
    `${ledgerFile} is ${found === undefined ? 'missing' : 'empty'}, but ${keyringFile} is there`,
    {
      exit: EXIT.precondition,
      hint: `Put a copy of the ledger back, as docs/users.md says; to begin without users, move the keyring away.`,
    },
  );
}
