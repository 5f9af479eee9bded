import { EXIT, MtpError } from '../errors.ts';
import { getStatus } from '../control/client.ts';
import { reload, type Reloaded, type ReloadWishes } from '../service/reload.ts';
import type { Paths } from '../system/paths.ts';
import { replaceConfig } from './change.ts';
import { diffLines, type DiffLine } from './diff.ts';
import { type HistoryEntry, loadHistory, requireEntry } from './history.ts';
import { readText } from './read-text.ts';

export interface RolledBack {
  file: string;
  /** That `mtp status` showed when the text that is put back was in force. */
  revision: string;
  number: number;
  changed: boolean;
  dryRun: boolean;
  diff: DiffLine[];
  /** What the running proxy did about it; null where none runs or nothing was changed. */
  reloaded: Reloaded | null;
}

/** The difference between a text that was in force and the file as it is. */
export async function diffSince(
  paths: Paths,
  wanted: string | undefined,
): Promise<{ file: string; revision: string; number: number; diff: DiffLine[] }> {
  const history = await loadHistory(paths);
  const { text, revision, number } = wanted === undefined ? newest(history) : requireEntry(history, wanted);
  const now = (await readText(paths.configFile)) ?? '';
  return { file: paths.configFile, revision, number, diff: diffLines(text, now) };
}

/**
 * Put back a configuration file that was in force, the one before the current where none is named, and have a running proxy
 * serve it. Where that does not hold, the file is as it was before.
 */
export async function rollBack(paths: Paths, wanted: string | undefined, wishes: ReloadWishes): Promise<RolledBack> {
  const { dryRun } = wishes;
  const history = await loadHistory(paths);
  const before = await readText(paths.configFile);
  const { text, revision, number } = wanted === undefined ? previous(history, before) : requireEntry(history, wanted);
  const change = await replaceConfig(paths.configFile, text, { dryRun });
  const facts = { ...change, revision, number, dryRun };
  if (dryRun || !change.changed || (await getStatus(paths)) === undefined) return { ...facts, reloaded: null };
  try {
    return { ...facts, reloaded: await reload(paths, wishes) };
  } catch (error) {
    if (before !== undefined) await replaceConfig(paths.configFile, before, { dryRun: false }).catch(() => undefined);
    if (!(error instanceof MtpError)) throw error;
    const { code, message, hint, exit } = error;
    throw new MtpError(code, `${paths.configFile} is as it was before, because ${message}`, {
      cause: error,
      exit,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

function newest([first]: HistoryEntry[]): HistoryEntry {
  if (first !== undefined) return first;
  throw new MtpError('NO_HISTORY', 'no configuration was in force yet', {
    exit: EXIT.precondition,
    hint: 'The history begins with the first start of the proxy.',
  });
}

/** The newest that says something else than the file, which may itself never have come into force. */
function previous(history: HistoryEntry[], now: string | undefined): HistoryEntry {
  const current = history.findIndex(({ text }) => text === now);
  const entry = history.slice(current + 1).find(({ text }) => text !== now);
  if (entry !== undefined) return entry;
  newest(history);
  throw new MtpError('NO_HISTORY', 'there is no configuration before the one in force', {
    exit: EXIT.precondition,
    hint: 'See those that are kept with: mtp config history',
  });
}
