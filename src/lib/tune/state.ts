import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { ensureDirectory, fileError, writeAtomic } from '../system/files.ts';
import { z } from '../system/zod.ts';

const stateSchema = z.strictObject({
  version: z.literal(1),
  /** The file for the next boot, as we wrote it. */
  file: z.string(),
  sha256: z.string(),
  /** What each key was before the first change, and what we set it to. */
  keys: z.array(z.strictObject({ key: z.string(), before: z.string(), after: z.string() })),
});

/** What `mtp tune undo` needs to know. */
export type TuneState = z.infer<typeof stateSchema>;

const fileOf = (stateDir: string): string => path.join(stateDir, 'tune.json');

/** What is in force by us; undefined when nothing is. */
export async function loadTuneState(stateDir: string): Promise<TuneState | undefined> {
  const file = fileOf(stateDir);
  try {
    return stateSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ENOTDIR') return undefined;
    if (errnoCode(error) !== undefined) throw fileError('read', file, error);
    throw new MtpError('TUNE_STATE_DAMAGED', `cannot use ${file}: it is not what mtp wrote`, {
      cause: error,
      exit: EXIT.precondition,
      hint: 'Put a copy back in its place; the values from before are in it.',
    });
  }
}

export async function saveTuneState(stateDir: string, state: TuneState): Promise<void> {
  await ensureDirectory(stateDir);
  await writeAtomic(fileOf(stateDir), `${JSON.stringify(state, null, 2)}\n`);
}

export async function removeTuneState(stateDir: string): Promise<void> {
  await rm(fileOf(stateDir), { force: true });
}
