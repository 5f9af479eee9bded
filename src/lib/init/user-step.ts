import { exists } from '../host/machine.ts';
import { listUsers } from '../users/load.ts';
import { addUser } from '../users/store.ts';
import { foldName } from '../users/user.ts';
import type { InstallStep } from './execute.ts';
import type { Made } from './journal.ts';
import type { Layout } from './layout.ts';

/** Somebody who may connect. Users that are there stay as they are. */
export function userStep({ paths }: Layout, name: string): InstallStep {
  const { ledgerFile, keyringFile } = paths;
  // SQLite keeps what was written last in files beside the ledger.
  const files = [keyringFile, ledgerFile, `${ledgerFile}-wal`, `${ledgerFile}-shm`];
  return {
    id: 'person',
    title: `Secret for ${name}`,
    holds: async () => (await listUsers(paths)).some((user) => foldName(user.name) === foldName(name)),
    makes: async () => {
      if (await exists(ledgerFile)) return [];
      return files.map((path): Made => ({ kind: 'data', path }));
    },
    act: async () => void (await addUser(paths, { name })),
  };
}
