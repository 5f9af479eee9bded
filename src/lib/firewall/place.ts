import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { EXIT, MtpError } from '../errors.ts';
import { ensureDirectory, fileError, writeAtomic } from '../system/files.ts';
import type { Script } from './script.ts';

const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_PROGRAM = 0o700;
const PRIVATE_FILE = 0o600;

/** Make the directory of scripts that root runs. Where another user could change them, they would be root: an error. */
export async function ensurePlace(dir: string): Promise<void> {
  await ensureDirectory(path.dirname(dir));
  await ensureDirectory(dir);
  const own = process.getuid?.() ?? 0;
  for (const one of [path.dirname(dir), dir]) {
    const { uid, mode } = await lstat(one);
    const isShared = (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
    if ((uid === own || uid === 0) && !isShared) continue;
    throw new MtpError('FIREWALL_PLACE', `${one} can be changed by another user, and root would run what is in it`, {
      exit: EXIT.precondition,
      hint: 'Give it to root, mode 0700, or choose another place with --home.',
    });
  }
  await chmod(dir, PRIVATE_DIRECTORY);
}

/** Write a script with its files into a new directory. */
export async function writeScripts(
  dir: string,
  { files, programs }: { files: Script['files']; programs: Record<string, string> },
): Promise<void> {
  try {
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { mode: PRIVATE_DIRECTORY });
  } catch (error) {
    throw fileError('create', dir, error);
  }
  for (const [name, text] of Object.entries(files)) await writeAtomic(path.join(dir, name), text, PRIVATE_FILE);
  for (const [name, text] of Object.entries(programs)) await writeAtomic(path.join(dir, name), text, PRIVATE_PROGRAM);
}
