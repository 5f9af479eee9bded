import { realpath, stat, writeFile } from 'node:fs/promises';
import { readText } from '../config/read-text.ts';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { fileError, writeAtomic } from '../system/files.ts';
import { setEnvValue } from './edit.ts';
import { parseEnv } from './parse.ts';

export interface EnvUpdate {
  changed: boolean;
  /** Where the file as it was before is kept; null when there was none or nothing changed. */
  backup: string | null;
}

/**
 * Set one key of a `.env` file and leave every other byte as it is. The old file is kept beside it, private, before the
 * new one takes its place in one step. A file that is not there is created with mode 0600.
 */
export async function updateEnvFile(
  file: string,
  key: string,
  value: string,
  now: () => Date = () => new Date(),
): Promise<EnvUpdate> {
  const before = await readText(file);
  const after = setEnvValue(before ?? '', key, value);
  if (!readsBack(before ?? '', after, key, value)) {
    throw new MtpError('ENV_FILE', `cannot write ${key} into ${file} so that it reads back the same`, {
      exit: EXIT.precondition,
      hint: 'Look at the lines around that key: a quote may be open.',
    });
  }
  if (after === before) return { changed: false, backup: null };
  if (before === undefined) {
    await writeAtomic(file, after, 0o600);
    return { changed: true, backup: null };
  }
  // A link stays a link: what it points to is replaced.
  const target = await realpath(file);
  const { mode } = await stat(target);
  const backup = await keep(file, before, now());
  await writeAtomic(target, after, mode & 0o777);
  return { changed: true, backup };
}

/** Save a copy under a name of its own: `.env.bak-20260131T120000Z`, with a number when that is taken. */
async function keep(file: string, text: string, date: Date): Promise<string> {
  const stamp = date.toISOString().replace(/[-:]|\.\d+/g, '');
  for (let attempt = 1; ; attempt++) {
    const backup = `${file}.bak-${stamp}${attempt === 1 ? '' : `-${attempt}`}`;
    try {
      await writeFile(backup, text, { flag: 'wx', mode: 0o600, flush: true });
      return backup;
    } catch (error) {
      if (errnoCode(error) !== 'EEXIST') throw fileError('write', backup, error);
    }
  }
}

/** Whether the key has its value everywhere and all others have theirs: a quote left open can swallow what follows it. */
function readsBack(before: string, after: string, key: string, value: string): boolean {
  const others = (text: string): string[] =>
    parseEnv(text)
      .entries.filter((entry) => entry.key !== key)
      .map((entry) => `${entry.key}=${entry.value}`);
  const written = parseEnv(after).entries.filter((entry) => entry.key === key);
  const kept = others(before).join('\0') === others(after).join('\0');
  return kept && written.length > 0 && written.every((entry) => entry.value === value);
}
