import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { packageUrl } from './module-url.ts';

/** Program and script that run this installation of `mtp`, both absolute and without links, for units and children. */
export function ownCommand(): [string, string] {
  const script = import.meta.url.endsWith('.ts') ? 'bin/dev.js' : 'bin/run.js';
  return [realpathSync(process.execPath), realpathSync(fileURLToPath(packageUrl(script)))];
}
