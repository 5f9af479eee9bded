import { readdir, readFile, unlink } from 'node:fs/promises';
import path from 'node:path';
import { errnoCode, MtpError } from '../errors.ts';
import { fileError, writeAtomic } from '../system/files.ts';
import { sha256 } from '../system/hash.ts';

/** What a feed said last that was good, in a file of the state directory that is named by the feed and its hash. */

const prefixOf = (name: string): string => `feed-${name}.`;
const fileOf = (state: string, name: string, hash: string): string =>
  path.join(state, `${prefixOf(name)}${hash.slice(0, 16)}.txt`);

export async function keepFeed(state: string, name: string, content: Buffer): Promise<void> {
  await writeAtomic(fileOf(state, name, sha256(content)), content);
}

/** The content of that hash; what is gone or says something else is an error. */
export async function readFeed(state: string, name: string, hash: string): Promise<string> {
  const file = fileOf(state, name, hash);
  const content = await readFile(file).catch((error: unknown) => {
    throw fileError('read', file, error);
  });
  if (sha256(content) === hash) return content.toString('utf8');
  throw new MtpError('FEED_DAMAGED', `${file} is not what was kept: its SHA-256 is another`, {
    hint: `Get it again with: mtp access feed refresh ${name}`,
  });
}

/** Remove what a feed said before; with null, everything. */
export async function removeOldFeeds(state: string, name: string, hash: string | null): Promise<void> {
  const kept = hash === null ? null : path.basename(fileOf(state, name, hash));
  const names = (await readdir(state)).filter((file) => file.startsWith(prefixOf(name)) && file !== kept);
  await Promise.all(
    names.map(async (file) =>
      unlink(path.join(state, file)).catch((error: unknown) => {
        if (errnoCode(error) !== 'ENOENT') throw fileError('remove', path.join(state, file), error);
      }),
    ),
  );
}
