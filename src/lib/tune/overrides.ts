import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** Directories of sysctl.d(5); a file in an earlier one hides its namesake in a later one. */
const DIRECTORIES = ['etc/sysctl.d', 'run/sysctl.d', 'usr/local/lib/sysctl.d', 'usr/lib/sysctl.d', 'lib/sysctl.d'];
/** Read by the sysctl of procps after all others. */
const LAST = 'etc/sysctl.conf';

/** For each key the last file after ours that sets it, too, and so wins at the next boot. */
export async function findOverrides(root: string, own: string, keys: readonly string[]): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (const directory of DIRECTORIES) {
    const dir = path.join(root, directory);
    for (const name of await readdir(dir).catch(() => [])) {
      if (name.endsWith('.conf') && !names.has(name)) names.set(name, path.join(dir, name));
    }
  }
  const later = [...names].filter(([name]) => name > path.basename(own)).sort(([a], [b]) => (a < b ? -1 : 1));
  const overrides = new Map<string, string>();
  for (const file of [...later.map(([, place]) => place), path.join(root, LAST)]) {
    const set = assignedKeys(await readFile(file, 'utf8').catch(() => ''));
    for (const key of keys) if (set.has(key)) overrides.set(key, file);
  }
  return overrides;
}

function assignedKeys(text: string): Set<string> {
  const lines = text.split('\n').map((line) => /^\s*-?([\w./-]+)\s*=/.exec(line)?.[1]);
  return new Set(lines.flatMap((key) => (key === undefined ? [] : [key.replaceAll('/', '.')])));
}
