import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { EXIT, MtpError } from '../errors.ts';
import { sha256 } from '../system/hash.ts';
import { ensureDirectory, writeAtomic } from '../system/files.ts';
import type { Kernel } from './kernel.ts';
import type { TunePlan } from './plan.ts';
import { loadTuneState, saveTuneState, type TuneState } from './state.ts';

export interface TuneOutcome {
  file: string;
  /** Read back from the kernel. */
  set: { key: string; before: string; after: string }[];
  refused: { key: string; why: string }[];
}

const WORLD_READABLE = 0o644;

/**
 * Set what the plan changes, for now and for the next boot. The values from before are saved first; a second run keeps
 * those of the first. A key that the kernel refuses is left out of the file and named.
 */
export async function applyTune(plan: TunePlan, kernel: Kernel, stateDir: string): Promise<TuneOutcome> {
  const { file } = plan;
  const earlier = await loadTuneState(stateDir);
  await refuseForeign(file, earlier);
  const wanted = plan.lines.flatMap(({ key, current, wanted: after, action }) =>
    action === 'change' && current !== null && after !== null ? [{ key, before: current, after }] : [],
  );
  if (wanted.length === 0) return { file, set: [], refused: [] };
  await save(merge(earlier, wanted));
  const refused: TuneOutcome['refused'] = [];
  for (const { key, after } of wanted) {
    const why = await kernel.write(key, after);
    if (why !== undefined) refused.push({ key, why });
  }
  const set = wanted.filter(({ key }) => !refused.some((other) => other.key === key));
  const keys = merge(earlier, set);
  await ensureDirectory(path.dirname(file));
  // The state goes first, so that a file that was just written is always known as ours.
  await save(keys);
  await writeAtomic(file, formatFile(keys), WORLD_READABLE);
  return { file, set, refused };

  async function save(keys: TuneState['keys']): Promise<void> {
    await saveTuneState(stateDir, { version: 1, file, sha256: sha256(formatFile(keys)), keys });
  }
}

function merge(earlier: TuneState | undefined, changed: TuneState['keys']): TuneState['keys'] {
  const known = new Map((earlier?.keys ?? []).map((entry) => [entry.key, entry]));
  for (const entry of changed) known.set(entry.key, { ...entry, before: known.get(entry.key)?.before ?? entry.before });
  return [...known.values()];
}

function formatFile(keys: TuneState['keys']): string {
  const lines = keys.map(({ key, after }) => `${key} = ${after}`);
  return ['# Written by mtp tune; take it back with: mtp tune undo', ...lines, ''].join('\n');
}

async function refuseForeign(file: string, earlier: TuneState | undefined): Promise<void> {
  const present = await readFile(file, 'utf8').catch(() => undefined);
  if (present === undefined || sha256(present) === earlier?.sha256) return;
  throw new MtpError('FILE_CHANGED', `${file} is not as mtp wrote it`, {
    exit: EXIT.precondition,
    hint: 'Move it away, then run the command again.',
  });
}
