import { readdir, readFile, unlink } from 'node:fs/promises';
import path from 'node:path';
import { EXIT, MtpError } from '../errors.ts';
import { ensureDirectory, fileError, writeAtomic } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { z } from '../system/zod.ts';
import { diffLines, type DiffLine } from './diff.ts';

/** The configuration files that were in force, a file each in the state directory. */

const entrySchema = z.strictObject({
  /** Counts up. */
  number: z.int().positive(),
  /** As `mtp status` showed it when this text came into force. */
  revision: z.string(),
  /** Unix time in ms. */
  at: z.number(),
  text: z.string(),
});
export type HistoryEntry = z.infer<typeof entrySchema>;

const KEPT = 20;
const NAME = /^\d{8}\.json$/;

const dirIn = ({ state }: Pick<Paths, 'state'>): string => path.join(state, 'revisions');
const fileOf = (dir: string, number: number): string => path.join(dir, `${String(number).padStart(8, '0')}.json`);

/** All that are kept, the newest first. A damaged one is left out. */
export async function loadHistory(paths: Pick<Paths, 'state'>): Promise<HistoryEntry[]> {
  const dir = dirIn(paths);
  const names = (await readdir(dir).catch(() => [])).filter((name) => NAME.test(name)).sort();
  const entries = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(path.join(dir, name), 'utf8').catch((error: unknown) => {
        throw fileError('read', path.join(dir, name), error);
      });
      return entrySchema.safeParse(parse(text)).data;
    }),
  );
  return entries.filter((entry) => entry !== undefined).reverse();
}

/** Keep a text that came into force; one that is in force already adds nothing. */
export async function keepInHistory(
  paths: Pick<Paths, 'state'>,
  { text, revision, at }: Omit<HistoryEntry, 'number'>,
): Promise<void> {
  const [newest, ...older] = await loadHistory(paths);
  if (newest?.text === text) return;
  const dir = dirIn(paths);
  const number = (newest?.number ?? 0) + 1;
  await ensureDirectory(dir);
  await writeAtomic(fileOf(dir, number), `${JSON.stringify({ number, revision, at, text })}\n`);
  const gone = (newest === undefined ? [] : [newest, ...older]).slice(KEPT - 1);
  await Promise.all(gone.map(async (entry) => unlink(fileOf(dir, entry.number)).catch(() => undefined)));
}

/** The entry that an operator means by the beginning of a revision, or by `#` and its number. */
export function requireEntry(history: HistoryEntry[], wanted: string): HistoryEntry {
  const matching = /^#\d+$/.test(wanted)
    ? history.filter(({ number }) => `#${number}` === wanted)
    : history.filter(({ revision }) => wanted.length >= 4 && revision.startsWith(wanted.toLowerCase()));
  const [newest, ...others] = matching;
  if (newest === undefined) {
    throw new MtpError('REVISION_UNKNOWN', `there is no revision ${wanted} in the history`, {
      exit: EXIT.precondition,
      hint: 'See those that are kept with: mtp config history',
    });
  }
  if (others.some(({ text }) => text !== newest.text)) {
    throw new MtpError('REVISION_AMBIGUOUS', `${wanted} is the beginning of more than one revision`, {
      exit: EXIT.usage,
      hint: `Write more of it, or its number: ${matching.map(({ number }) => `#${number}`).join(', ')}.`,
    });
  }
  return newest;
}

export interface HistoryRow {
  number: number;
  revision: string;
  at: number;
  /** Lines added and taken out since the entry before. */
  added: number;
  removed: number;
  /** It is what the file says now. */
  current: boolean;
}

/** The history for a screen, the newest first. `now` is the text of the file. */
export function describeHistory(history: HistoryEntry[], now: string | undefined): HistoryRow[] {
  const currentAt = history.findIndex(({ text }) => text === now);
  return history.map(({ number, revision, at, text }, index) => {
    const lines: DiffLine[] = diffLines(history[index + 1]?.text ?? '', text);
    const added = lines.filter(({ sign }) => sign === '+').length;
    return { number, revision, at, added, removed: lines.length - added, current: index === currentAt };
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
