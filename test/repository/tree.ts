import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top of the repository, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A file of the repository as text. */
export function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** Paths of the repository's files that match, from its top. */
export function files(pattern: string): string[] {
  return globSync(pattern, { cwd: ROOT }).filter((file) => !file.startsWith('node_modules/'));
}

/** What `package.json` says, as far as the tests ask. */
export function packageJson(): {
  allowScripts: Record<string, boolean>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
} {
  return JSON.parse(read('package.json')) as ReturnType<typeof packageJson>;
}

/** What `oclif.manifest.json` says, as far as the tests ask: commands by id (`secret:add`), with their aliases and flags. */
export function manifest(): {
  commands: Record<string, { aliases: string[]; flags: Record<string, { allowNo?: boolean }> }>;
} {
  return JSON.parse(read('oclif.manifest.json')) as ReturnType<typeof manifest>;
}
