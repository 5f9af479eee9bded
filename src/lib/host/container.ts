import { access, readFile } from 'node:fs/promises';
import path from 'node:path';

/** Marks that container managers leave, by the manager. */
const MARKS: [string, string][] = [
  ['.dockerenv', 'docker'],
  ['run/.containerenv', 'podman'],
];

/** The container manager that runs this system, as far as it shows itself; undefined on a machine. */
export async function findContainer(root = '/'): Promise<string | undefined> {
  const named = await readFile(path.join(root, 'run/systemd/container'), 'utf8').catch(() => '');
  if (named.trim() !== '') return named.trim();
  for (const [mark, manager] of MARKS) {
    const there = await access(path.join(root, mark)).then(
      () => true,
      () => false,
    );
    if (there) return manager;
  }
  const first = await readFile(path.join(root, 'proc/1/environ'), 'utf8').catch(() => '');
  return /(?:^|\0)container=([^\0]+)/.exec(first)?.[1];
}
