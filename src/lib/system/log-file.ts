import { fchmodSync, openSync } from 'node:fs';
import { errnoCode } from '../errors.ts';

/** Administrators read logs by their group; nobody else does. */
export const LOG_MODE = 0o640;

/** A descriptor to add lines to a log with. A file that is not there is made, with its mode whatever the mask is. */
export function openLog(file: string): number {
  try {
    const made = openSync(file, 'ax', LOG_MODE);
    fchmodSync(made, LOG_MODE);
    return made;
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw error;
    return openSync(file, 'a');
  }
}
