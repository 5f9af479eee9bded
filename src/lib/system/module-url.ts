import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The URL of a module for a child process or a thread, relative to the module that asks and without an extension:
 * `.ts` when the source runs directly, `.js` in the build.
 */
export function moduleUrl(from: string, relative: string): URL {
  return new URL(`${relative}${path.extname(fileURLToPath(from))}`, from);
}
