import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileError } from '../system/files.ts';
import { askSecret } from '../ui/prompt.ts';
import { parseSecret, type Secret } from './secret.ts';

/** The secret in a file, or from standard input for `-`: asked for on a terminal, else read to its end. */
export async function readSecretFile(file: string, stdin: NodeJS.ReadStream = process.stdin): Promise<Secret> {
  if (file === '-') return parseSecret(stdin.isTTY ? await askSecret() : await text(stdin));
  try {
    return parseSecret(await readFile(file, 'utf8'));
  } catch (error) {
    throw fileError('read', file, error);
  }
}
