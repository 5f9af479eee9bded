import type { UserFiles } from '../users/files.ts';
import { withUsers } from '../users/with-users.ts';
import { exposure, type KeyEntry } from './keyring.ts';
import { openAll, requireKeyring } from './rotate.ts';

export interface KeyringStatus {
  file: string;
  inForce: Pick<KeyEntry, 'id' | 'algorithm' | 'createdAt'>;
  /** Secrets in the ledger; every one was opened with the keyring as it is. */
  secrets: number;
  /** A rotation was cut off: there is more than one key. */
  unfinished: boolean;
  warnings: string[];
}

/** What seals the secrets, and whether all of them open. */
export async function keyringStatus(files: UserFiles): Promise<KeyringStatus> {
  return withUsers(files, async (ledger) => {
    const { keyring, inForce } = await requireKeyring(ledger, files);
    const { id, algorithm, createdAt } = inForce;
    const unfinished = keyring.length > 1;
    const warnings = await exposure(files.keyringFile);
    if (unfinished) warnings.push('A rotation was cut off; finish it with: mtp keys rotate');
    const secrets = await openAll(ledger, files, keyring);
    return { file: files.keyringFile, inForce: { id, algorithm, createdAt }, secrets, unfinished, warnings };
  });
}
