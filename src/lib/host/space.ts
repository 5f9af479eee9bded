import { access, constants, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { errnoCode } from '../errors.ts';

const LEAST_FREE = 8 * 2 ** 20;

/** What keeps files from being written into a directory that is there or is to be made; undefined when nothing does. */
export async function findWriteFault(directory: string): Promise<string | undefined> {
  const there = await nearest(directory);
  const fault = await access(there, constants.W_OK).then(
    () => undefined,
    (error: unknown) => errnoCode(error),
  );
  if (fault === 'EROFS') return `${there} is on a read-only file system`;
  if (fault !== undefined) return `${there} may not be written to`;
  const { bavail, bsize } = await statfs(there);
  const free = bavail * bsize;
  return free < LEAST_FREE
    ? `the disk of ${there} is full: ${Math.floor(free / 1024)} KB free, 8 MB needed`
    : undefined;
}

async function nearest(directory: string): Promise<string> {
  const there = await stat(directory).then(
    () => true,
    () => false,
  );
  return there || directory === path.dirname(directory) ? directory : nearest(path.dirname(directory));
}

const OTHERS_ENTER = 0o001;
const OTHERS_READ = 0o004;

/** The first part of the path of a file that another user may not pass or read; undefined when all may. */
export async function findClosedPart(file: string): Promise<string | undefined> {
  for (let part = path.dirname(file); ; part = path.dirname(part)) {
    if (((await stat(part)).mode & OTHERS_ENTER) === 0) return part;
    if (part === path.dirname(part)) break;
  }
  return ((await stat(file)).mode & OTHERS_READ) === 0 ? file : undefined;
}
