import { existsSync } from 'node:fs';
import { chown, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { errnoCode, EXIT, MtpError } from '../errors.ts';

/**
 * Replace a file so that a reader or a crash sees the old or the new content, never a part: temporary file in the same
 * directory, fsync, rename, fsync of the directory. As root the owner of an existing file (or of the directory) is kept,
 * so that a daemon without root can still read what an administrator wrote; what it must not write is `us`.
 */
export async function writeAtomic(
  file: string,
  data: string | Uint8Array,
  mode = 0o600,
  whose: 'kept' | 'us' = 'kept',
): Promise<void> {
  const dir = path.dirname(file);
  const temporary = path.join(dir, `.${path.basename(file)}.${crypto.randomUUID()}`);
  let created = false;
  try {
    const owner = whose === 'us' ? undefined : await ownerOf(file, dir);
    const handle = await open(temporary, 'wx', mode);
    created = true;
    try {
      await handle.writeFile(data);
      await handle.chmod(mode);
      if (owner !== undefined) await chown(temporary, owner.uid, owner.gid);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    created = false;
    await syncDirectory(dir);
  } catch (error) {
    if (created) await unlink(temporary);
    throw fileError('write', file, error);
  }
}

/** An error where there is something of that name: what is to be written has to be a new file. */
export function refusePresent(file: string): void {
  if (!existsSync(file)) return;
  throw new MtpError('FILE_EEXIST', `${file} is there already`, {
    exit: EXIT.precondition,
    hint: 'Choose another name, or remove that file first.',
  });
}

/** Make an empty file that only its owner can open, unless it is there; as root it belongs to the owner of the directory. */
export async function createPrivate(file: string): Promise<void> {
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      // The mask of the process may have taken something away.
      await handle.chmod(0o600);
      const owner = await ownerOf(path.dirname(file), path.dirname(file));
      if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw fileError('create', file, error);
  }
}

/**
 * Create a private directory and its parents; an existing one is left as it is. Level by level, because a recursive `mkdir`
 * of Node never ends where the file system answers ENOENT for a directory that it will not create, as /proc does.
 */
export async function ensureDirectory(dir: string): Promise<void> {
  try {
    await mkdir(dir, { mode: 0o700 });
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'EEXIST' && (await stat(dir)).isDirectory()) return;
    const parent = path.dirname(dir);
    if (code !== 'ENOENT' || parent === dir || (await isDirectory(parent))) throw fileError('create', dir, error);
    await ensureDirectory(parent);
    await ensureDirectory(dir);
  }
}

async function isDirectory(dir: string): Promise<boolean> {
  return stat(dir).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

const REASONS: Record<string, { why: string; hint: string }> = {
  EACCES: {
    why: 'permission denied',
    hint: 'Run as the owner of that path or as root, or choose another with --home.',
  },
  EPERM: { why: 'not permitted', hint: 'Run as the owner of that path or as root, or choose another with --home.' },
  EROFS: { why: 'the file system is read-only', hint: 'Choose a writable place with --home.' },
  ENOSPC: { why: 'no space left on the disk', hint: 'Free some space and run the command again; nothing was changed.' },
  EDQUOT: { why: 'the disk quota is used up', hint: 'Free some space and run the command again; nothing was changed.' },
  ENOENT: { why: 'no such file or directory', hint: 'Check the path.' },
  ENOTDIR: { why: 'a part of the path is not a directory', hint: 'Check the path.' },
  EISDIR: { why: 'it is a directory', hint: 'Name a file.' },
  EEXIST: { why: 'something that is not a directory is in the way', hint: 'Move it away or choose another path.' },
};

/** One line that names the path and what to do, from a system error. */
export function fileError(verb: string, file: string, cause: unknown): MtpError {
  if (cause instanceof MtpError) return cause;
  const code = errnoCode(cause) ?? 'EUNKNOWN';
  const reason = REASONS[code];
  const why = reason?.why ?? (cause instanceof Error ? cause.message : String(cause));
  return new MtpError(`FILE_${code}`, `cannot ${verb} ${file}: ${why}`, {
    cause,
    exit: EXIT.precondition,
    ...(reason === undefined ? {} : { hint: reason.hint }),
  });
}

async function ownerOf(file: string, dir: string): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const candidate of [file, dir]) {
    try {
      const { uid, gid } = await stat(candidate);
      return { uid, gid };
    } catch (error) {
      if (errnoCode(error) !== 'ENOENT') throw error;
    }
  }
  return undefined;
}

/** Have the disk keep which files a directory has. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
