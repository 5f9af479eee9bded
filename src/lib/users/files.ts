import type { Paths } from '../system/paths.ts';

/** Where users and their keys are kept, and whom to tell what happened to the files. */
export interface UserFiles extends Pick<Paths, 'ledgerFile' | 'keyringFile' | 'usersFile'> {
  /** One sentence, without a line end. */
  notice?: ((sentence: string) => void) | undefined;
}
