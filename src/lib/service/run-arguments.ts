import path from 'node:path';
import type { StartOptions } from './start.ts';

/** How to start a daemon by the same command line that we were. */
export function runArguments(
  flags: { home?: string | undefined; 'allow-root': boolean },
  [, script = '']: string[] = process.argv,
): StartOptions {
  const home = flags.home === undefined ? [] : ['--home', path.resolve(flags.home)];
  return { script, args: [...home, ...(flags['allow-root'] ? ['--allow-root'] : [])] };
}
