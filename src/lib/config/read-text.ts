import { isUtf8 } from 'node:buffer';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { fileError } from '../system/files.ts';

const MAX_BYTES = 2 ** 20;

/** The text of a small file; undefined when there is none. Anything but UTF-8 text of at most 1 MiB is an error. */
export async function readText(file: string): Promise<string | undefined> {
  const bytes = await readSmall(file);
  if (bytes === undefined) return undefined;
  if (!isUtf8(bytes)) throw unreadable(file, 'it is not UTF-8 text');
  return bytes.toString('utf8');
}

async function readSmall(file: string): Promise<Buffer | undefined> {
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for its writer for ever.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const facts = await handle.stat();
      if (facts.isDirectory()) throw unreadable(file, 'it is a directory');
      if (!facts.isFile()) throw unreadable(file, 'it is not a regular file');
      if (facts.size > MAX_BYTES) throw unreadable(file, 'it is larger than 1 MiB');
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw fileError('read', file, error);
  }
}

function unreadable(file: string, why: string): MtpError {
  return new MtpError('FILE_UNREADABLE', `cannot read ${file}: ${why}`, {
    exit: EXIT.precondition,
    hint: 'Name the right file, or put the one that was there back.',
  });
}
