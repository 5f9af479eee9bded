import { exists } from '../host/machine.ts';
import { listUsers, loadUsers } from '../users/load.ts';
import { addSecret } from '../users/secrets.ts';
import { addUser } from '../users/store.ts';
import { foldName } from '../users/user.ts';
import type { InstallStep } from './execute.ts';
import type { Made } from './journal.ts';
import type { Layout } from './layout.ts';

/** Somebody who may connect, with a key of 16 bytes that links hold already or a fresh one. Users that are there keep theirs. */
export function userStep({ paths }: Layout, name: string, key: Buffer | undefined): InstallStep {
  const { ledgerFile, keyringFile } = paths;
  // SQLite keeps what was written last in files beside the ledger.
  const files = [keyringFile, ledgerFile, `${ledgerFile}-wal`, `${ledgerFile}-shm`];
  return {
    id: 'person',
    title: `Secret for ${name}`,
    holds: async () => {
      if (key === undefined) return (await listUsers(paths)).some((user) => foldName(user.name) === foldName(name));
      const { users } = await loadUsers(paths, { fold: foldName(name) });
      return users.some(({ secrets }) => secrets.some((one) => one.key === key.toString('hex')));
    },
    makes: async () => {
      if (await exists(ledgerFile)) return [];
      return files.map((path): Made => ({ kind: 'data', path }));
    },
    act: async () => {
      if (key === undefined) await addUser(paths, { name });
      else await addSecret(paths, { name, key });
    },
  };
}
