import { readdir, readFile, unlink } from 'node:fs/promises';
import path from 'node:path';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { changeLedger, type Ledger, withLedger } from '../ledger/open.ts';
import { fileError, syncDirectory } from '../system/files.ts';
import { withLock } from '../system/lock.ts';
import { plural } from '../ui/format.ts';
import type { UserFiles } from './files.ts';
import { insertUsers } from './insert.ts';
import { makeUser, SYSTEM } from './make.ts';
import { openUsers } from './open-users.ts';
import { openSealing } from '../keyring/sealing.ts';
import type { User } from './user.ts';
import { parseUsersFile, type PlainUser } from './users-file.ts';

/** Called between steps; tests end the process there. */
export type Between = (step: 'read' | 'inserted' | 'committed' | 'verified' | 'removed') => void;

/**
 * Take the users of an earlier version over into the ledger: all in one transaction, read back and compared, then the plain
 * file is removed, because it holds secrets in the open. Cut off anywhere it is done again from the start: ids are kept, so
 * that nobody comes twice.
 */
export async function takeOver(files: UserFiles, between: Between = () => undefined): Promise<void> {
  const { usersFile, ledgerFile } = files;
  // The lock of earlier versions, so that none of them writes meanwhile.
  await withLock(`${usersFile}.lock`, async () => {
    const text = await textOf(usersFile);
    if (text === undefined) return;
    const plain = parseUsersFile(text, usersFile);
    between('read');
    await withLedger(ledgerFile, async (ledger) => {
      await changeLedger(ledger, async (change) => {
        const { length } = await change.selectFrom('users').select('id').limit(1).execute();
        if (length > 0) return;
        await insertUsers(change, plain.map(toUser), await openSealing(change, files, SYSTEM));
        between('inserted');
      });
      between('committed');
      await verify(ledger, files, plain);
    });
    between('verified');
    await removePlain(usersFile);
    between('removed');
    files.notice?.(
      `Took ${plural(plain.length, 'user')} over from ${usersFile} into ${ledgerFile} and removed that file.`,
    );
  });
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw fileError('read', file, error);
  }
}

function toUser({ id, name, key, createdAt, enabled }: PlainUser): User {
  const sources = { ...SYSTEM, now: () => new Date(createdAt) };
  return { ...makeUser({ name, key: Buffer.from(key, 'hex'), enabled }, sources), id };
}

/** Everybody of the file has to be in the ledger, with the same name and key. */
async function verify(ledger: Ledger, files: UserFiles, plain: PlainUser[]): Promise<void> {
  const kept = new Map((await openUsers(ledger, files, 'all')).map((user) => [user.id, user]));
  const missing = plain.find(({ id, name, key, enabled }) => {
    const user = kept.get(id);
    return user?.name !== name || user.enabled !== enabled || user.secrets.every((secret) => secret.key !== key);
  });
  if (missing === undefined) return;
  throw new MtpError(
    'USERS_TWICE',
    `${files.usersFile} has ${missing.name}, whom ${files.ledgerFile} does not know like that`,
    {
      exit: EXIT.precondition,
      hint: 'The ledger is in use already. Move users.json out of the way; both are left as they are.',
    },
  );
}

/** With what killed writers of earlier versions left beside it. */
async function removePlain(usersFile: string): Promise<void> {
  const directory = path.dirname(usersFile);
  const leftovers = (await readdir(directory)).filter((name) => name.startsWith(`.${path.basename(usersFile)}.`));
  for (const file of [...leftovers.map((name) => path.join(directory, name)), usersFile]) {
    await unlink(file).catch((error: unknown) => {
      throw fileError('remove', file, error);
    });
  }
  await syncDirectory(directory);
}
