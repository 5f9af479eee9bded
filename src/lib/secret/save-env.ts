import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { readText } from '../config/read-text.ts';
import { parseEnv } from '../env-file/parse.ts';
import { updateEnvFile } from '../env-file/update.ts';
import { fileError } from '../system/files.ts';
import { assertEnvKey, chooseEnvKey } from './env-key.ts';
import type { Made } from './make.ts';

export interface Saved {
  file: string;
  envKey: string;
  changed: boolean;
  /** The file as it was before; null when there was none. */
  backup: string | null;
  warnings: string[];
}

const OTHERS_MAY_READ = 0o044;

/** Whether a secret can be written there; to be asked before a secret is replaced for it. */
export async function assertEnvFile(file: string): Promise<void> {
  await readText(file);
  await access(path.dirname(path.resolve(file)), constants.W_OK).catch((error: unknown) => {
    throw fileError('write', file, error);
  });
}

/** Write a secret into a `.env` file under the given key, or under the one that the file already has for it. */
export async function saveSecret(file: string, key: string | undefined, made: Made): Promise<Saved> {
  if (key !== undefined) assertEnvKey(key);
  const keys = parseEnv((await readText(file)) ?? '').entries.map((entry) => entry.key);
  const envKey = key ?? chooseEnvKey(keys);
  const { changed, backup } = await updateEnvFile(file, envKey, made.secret);
  const warnings: string[] = [];
  if (envKey === 'MTG_SECRET' && made.mode !== 'ee') warnings.push('mtg reads ee secrets only; this one is not.');
  if (((await stat(file)).mode & OTHERS_MAY_READ) !== 0)
    warnings.push(`Other users can read ${file}; run: chmod 600 ${file}`);
  return { file, envKey, changed, backup, warnings };
}
