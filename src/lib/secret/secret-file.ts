import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileError } from '../system/files.ts';
import { askSecret } from '../ui/prompt.ts';
import { parseSecret, type Secret } from './secret.ts';
import { refuseWeak } from './weak.ts';

/** The key of the secret in a file, if a file is given; one that is easy to guess is refused unless that is allowed. */
export async function readGivenSecret(file: string | undefined, allowWeak: boolean): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  const { key } = await readSecretFile(file);
  refuseWeak(key, allowWeak);
  return key;
}

/** The secret in a file, or from standard input for `-`: asked for on a terminal, else read to its end. */
export async function readSecretFile(file: string, stdin: NodeJS.ReadStream = process.stdin): Promise<Secret> {
  if (file === '-') return parseSecret(stdin.isTTY ? await askSecret() : await text(stdin));
  try {
    return parseSecret(await readFile(file, 'utf8'));
  } catch (error) {
    throw fileError('read', file, error);
  }
}
