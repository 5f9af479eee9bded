import { chmod, chown, mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileError } from '../system/files.ts';
import type { InstallStep } from './execute.ts';
import type { Made } from './journal.ts';

export interface Owner {
  uid: number;
  gid: number;
}

export interface WantedDirectory {
  path: string;
  mode: number;
  /** Undefined leaves it to whoever runs this. */
  owner: () => Promise<Owner | undefined>;
  /** All that is in it is ours. */
  contents: boolean;
}

/** Directories with their modes and owners. What is in one that was there before is given to the owner, too. */
export function directoryStep(wanted: WantedDirectory[]): InstallStep {
  return {
    id: 'directories',
    title: 'Directories',
    holds: async () => (await Promise.all(wanted.map(async (directory) => isRight(directory)))).every(Boolean),
    makes: async () => {
      const missing: Made[] = [];
      for (const { path: dir, contents } of wanted) {
        if ((await statOf(dir)) === undefined) missing.push({ kind: 'directory', path: dir, contents });
      }
      return missing;
    },
    act: async () => {
      for (const { path: dir, mode, owner } of wanted) {
        try {
          if ((await statOf(dir)) === undefined) await mkdir(dir, { mode });
          await chmod(dir, mode);
          const to = await owner();
          if (to !== undefined) await give(dir, to);
        } catch (error) {
          throw fileError('create', dir, error);
        }
      }
    },
  };
}

async function isRight({ path: dir, mode, owner }: WantedDirectory): Promise<boolean> {
  const found = await statOf(dir);
  if (found?.isDirectory() !== true || (found.mode & 0o777) !== mode) return false;
  const to = await owner();
  return to === undefined || (found.uid === to.uid && found.gid === to.gid);
}

async function statOf(file: string) {
  return stat(file).catch(() => undefined);
}

async function give(dir: string, { uid, gid }: Owner): Promise<void> {
  for (const entry of await readdir(dir, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() || entry.isDirectory()) await chown(path.join(entry.parentPath, entry.name), uid, gid);
  }
  // Last, so that it is the proof that all of it is given.
  await chown(dir, uid, gid);
}
