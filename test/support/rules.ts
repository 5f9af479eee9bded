import { readGuardGeneration } from '../../src/lib/guard/store.ts';
import type { UserFiles } from '../../src/lib/users/files.ts';
import { readUsers } from '../../src/lib/users/with-users.ts';

/** A word that is another after every change of bans and rules; null before the first. */
export async function guardGeneration(files: UserFiles): Promise<string | null> {
  return readUsers(files, null, readGuardGeneration);
}
