import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Paths } from '../system/paths.ts';

/** What looks after the daemon: systemd, or nobody once it has been started in the background. */
export type Target = 'systemd' | 'background';

/** As what a daemon runs that is to be stopped: at a terminal, or as what a container is there for, it is nobody's service. */
export type StopTarget = Target | 'foreground' | 'container';

/** What a running daemon is, by its process and the words of its command line. */
export function stopTarget(target: Target, pid: number, words: readonly string[]): StopTarget {
  if (target === 'systemd') return target;
  if (pid === 1) return 'container';
  return words.includes('--daemon') ? target : 'foreground';
}

export const UNIT = 'mtp.service';
const UNIT_DIRECTORIES = [
  'etc/systemd/system',
  'run/systemd/system',
  'usr/local/lib/systemd/system',
  'usr/lib/systemd/system',
  'lib/systemd/system',
];

/**
 * systemd where it runs, has our unit, and these are the directories that the unit serves: a --home of its own is another
 * installation. `root` is where the file system begins.
 */
export async function findTarget({ config }: Pick<Paths, 'config'>, root = '/'): Promise<Target> {
  if (config !== '/etc/mtp' || !(await exists(path.join(root, 'run/systemd/system')))) return 'background';
  const units = await Promise.all(UNIT_DIRECTORIES.map(async (dir) => exists(path.join(root, dir, UNIT))));
  return units.includes(true) ? 'systemd' : 'background';
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
