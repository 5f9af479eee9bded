import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { ensureDirectory, writeAtomic } from '../system/files.ts';
import { diffLines, type DiffLine } from './diff.ts';
import { editToml } from './edit.ts';
import { evaluate } from './evaluate.ts';
import { invalidConfig } from './load.ts';
import { readText } from './read-text.ts';

/** A setting to write, or to take out where the value is undefined. */
export interface ConfigEdit {
  key: string;
  value: unknown;
}

export interface ConfigChange {
  file: string;
  changed: boolean;
  diff: DiffLine[];
}

/**
 * Change settings in the configuration file. The result is checked before it takes the place of the file in one step; when
 * it is not valid, the error says why and nothing has changed. A dry run does all but the writing.
 */
export async function changeConfig(
  file: string,
  edits: readonly ConfigEdit[],
  { dryRun }: { dryRun: boolean },
): Promise<ConfigChange> {
  const before = await readText(file);
  const after = edits.reduce((text, { key, value }) => editToml(text, key.split('.'), value), before ?? '');
  return replace(file, before, after, dryRun);
}

/** Put another text in the place of the configuration file, as `changeConfig` does. */
export async function replaceConfig(
  file: string,
  after: string,
  { dryRun }: { dryRun: boolean },
): Promise<ConfigChange> {
  return replace(file, await readText(file), after, dryRun);
}

async function replace(
  file: string,
  before: string | undefined,
  after: string,
  dryRun: boolean,
): Promise<ConfigChange> {
  const evaluation = evaluate({ file: { text: after, name: file } });
  if (!evaluation.ok)
    throw invalidConfig(evaluation.problems, 'Nothing was changed. The places are those of the result.');
  const changed = after !== (before ?? '');
  if (changed && !dryRun) await save(file, before !== undefined, after);
  return { file, changed, diff: diffLines(before ?? '', after) };
}

async function save(file: string, exists: boolean, text: string): Promise<void> {
  if (!exists) {
    await ensureDirectory(path.dirname(file));
    await writeAtomic(file, text, 0o600);
    return;
  }
  // A link stays a link: what it points to is replaced.
  const target = await realpath(file);
  const { mode } = await stat(target);
  await writeAtomic(target, text, mode & 0o777);
}
