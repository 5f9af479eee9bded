import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import type { Algorithm } from '../keyring/algorithms.ts';
import { fileError } from '../system/files.ts';
import { CHUNK_BYTES, Chunks, fileKey, TAG_BYTES } from './chunks.ts';
import { HEADER_BYTES_MAX, readHeader, type VaultHeader, writeHeader } from './header.ts';

export interface Sealing {
  algorithm: Algorithm;
  /** log2 of scrypt's N. */
  cost: number;
  labels: Record<string, string>;
}

/** Where a result goes: a file that must not be there yet, unless it may be replaced. */
export interface Target {
  file: string;
  replace: boolean;
}

/** Seal a file under a passphrase into another, which only its owner can read. Returns the bytes that were written. */
export async function sealFile(source: string, target: Target, passphrase: Buffer, how: Sealing): Promise<number> {
  return withSource(source, async (from, size) => writeSealed(target, passphrase, how, plainChunks(from, size)));
}

/**
 * Open a sealed file into another. Nothing of it is there before all of it was seen to be whole. `expected` labels have to
 * stand in its header.
 */
export async function openFile(
  source: string,
  target: Target,
  passphrase: Buffer,
  expected: Record<string, string> = {},
): Promise<{ bytes: number; header: VaultHeader }> {
  return withSource(source, async (from, size) => {
    const { header, chunks } = await openedChunks({ source, from, size }, passphrase, expected);
    const bytes = await writeTarget(target, async (to) => {
      let written = 0;
      for await (const { plain } of chunks) {
        await to.writeFile(plain);
        written += plain.length;
      }
      return written;
    });
    return { bytes, header };
  });
}

/**
 * Seal anew what is in a sealed file, under the same passphrase and with the same labels; by default into itself. Nothing of
 * it is ever on the disk in the clear, and the file stays as it was until the new one is whole.
 */
export async function resealFile(
  source: string,
  target: Target,
  passphrase: Buffer,
  how: { algorithm: Algorithm; cost: number },
): Promise<{ bytes: number; before: VaultHeader }> {
  return withSource(source, async (from, size) => {
    const { header, chunks } = await openedChunks({ source, from, size }, passphrase, {});
    const bytes = await writeSealed(target, passphrase, { ...how, labels: header.labels }, chunks);
    return { bytes, before: header };
  });
}

interface Chunk {
  plain: Buffer;
  last: boolean;
}

async function* plainChunks(from: FileHandle, size: number): AsyncGenerator<Chunk> {
  for (let at = 0; ; at += CHUNK_BYTES) {
    const plain = await readAt(from, at, CHUNK_BYTES);
    const last = at + plain.length >= size;
    yield { plain, last };
    if (last) return;
  }
}

/** What is in a sealed file, piece by piece; ends in an error where a piece is not authentic. */
async function openedChunks(
  { source, from, size }: { source: string; from: FileHandle; size: number },
  passphrase: Buffer,
  expected: Record<string, string>,
): Promise<{ header: VaultHeader; chunks: AsyncGenerator<Chunk> }> {
  const start = await readAt(from, 0, HEADER_BYTES_MAX);
  const read = readHeader(start);
  if (typeof read === 'string') throw refused(source, read);
  const { header, length } = read;
  for (const [name, value] of Object.entries(expected)) {
    if (header.labels[name] !== value) throw refused(source, `its label ${name} is not ${JSON.stringify(value)}`);
  }
  const opening = new Chunks(header, start.subarray(0, length), await fileKey(passphrase, header));
  async function* chunks(): AsyncGenerator<Chunk> {
    for (let at = length; ; at += CHUNK_BYTES + TAG_BYTES) {
      const sealed = await readAt(from, at, CHUNK_BYTES + TAG_BYTES);
      const last = at + sealed.length >= size;
      const plain = await opening.open(sealed, last);
      if (plain === null) throw refused(source, 'the passphrase is another, or the file was changed');
      yield { plain, last };
      if (last) return;
    }
  }
  return { header, chunks: chunks() };
}

async function writeSealed(
  target: Target,
  passphrase: Buffer,
  how: Sealing,
  chunks: AsyncIterable<Chunk>,
): Promise<number> {
  const header: VaultHeader = { ...how, salt: randomBytes(32), prefix: randomBytes(16) };
  const bytes = writeHeader(header);
  const sealing = new Chunks(header, bytes, await fileKey(passphrase, header));
  return writeTarget(target, async (to) => {
    await to.writeFile(bytes);
    let written = bytes.length;
    for await (const { plain, last } of chunks) {
      const sealed = await sealing.seal(plain, last);
      await to.writeFile(sealed);
      written += sealed.length;
    }
    return written;
  });
}

async function withSource<Result>(
  file: string,
  use: (handle: FileHandle, size: number) => Promise<Result>,
): Promise<Result> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw fileError('read', file, error);
  });
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw refused(file, 'it is no file');
    return await use(handle, found.size);
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let count = 0;
  while (count < length) {
    const { bytesRead } = await handle.read(buffer, count, length - count, position + count);
    if (bytesRead === 0) break;
    count += bytesRead;
  }
  return buffer.subarray(0, count);
}

/** Write a file under another name, and give it its own only when it is whole and on the disk. */
async function writeTarget<Result>(
  { file, replace }: Target,
  write: (handle: FileHandle) => Promise<Result>,
): Promise<Result> {
  const part = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}`);
  const handle = await open(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600).catch(
    (error: unknown) => {
      throw fileError('write', file, error);
    },
  );
  try {
    const result = await write(handle).finally(async () => handle.sync().finally(async () => handle.close()));
    if (replace) await rename(part, file);
    else await link(part, file);
    return result;
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') {
      throw new MtpError('FILE_EXISTS', `${file} is there already`, {
        exit: EXIT.precondition,
        hint: 'Choose another name, or replace it with --force.',
      });
    }
    throw error instanceof MtpError ? error : fileError('write', file, error);
  } finally {
    await unlink(part).catch(() => undefined);
  }
}

function refused(file: string, why: string): MtpError {
  return new MtpError('VAULT', `cannot open ${file}: ${why}`, { exit: EXIT.precondition });
}
