import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { parseCsv } from '../csv/parse.ts';
import { unguard, writeCsv } from '../csv/write.ts';
import { EXIT, MtpError } from '../errors.ts';
import { fileError, refusePresent, writeAtomic } from '../system/files.ts';
import { plural } from '../ui/format.ts';
import type { UserFiles } from '../users/files.ts';
import { listAccess } from './load.ts';
import { parseNetworkList } from './network-list.ts';
import { formatPrefix } from './prefix.ts';
import type { AccessRule } from './rule.ts';
import { readNetworks, readRuleWish, type RuleWish, type RuleWords } from './rule-wish.ts';
import { formatWindow } from './window.ts';

/** Rules in a file: CSV as it is exported, or a network a line for which the command says all the rest. */

const COLUMNS = ['network', 'level', 'mode', 'reason', 'windows', 'zone', 'until'] as const;
const BETWEEN_WINDOWS = ';';

export interface RuleFile {
  /** The file as messages name it. */
  source: string;
  wishes: RuleWish[];
  /** Lines that are no rule, the first being line 1. */
  faults: { line: number; fault: string }[];
}

/** Read a file, `-` being standard input. Rules that have ended are left out. */
export async function readRuleFile(file: string, words: RuleWords, now: number): Promise<RuleFile> {
  const source = file === '-' ? 'standard input' : file;
  const text = await (file === '-' ? textOf(process.stdin) : readFile(file, 'utf8')).catch((error: unknown) => {
    throw fileError('read', source, error);
  });
  return { source, ...(isCsv(text) ? readCsv(text, source, now) : readList(text, words, now)) };
}

/** The lines that are wrong, as many as a person reads. */
export function describeFaults({ source, faults }: RuleFile): string[] {
  const SHOWN = 20;
  const lines = faults.slice(0, SHOWN).map(({ line, fault }) => `${source}:${line}: ${fault}`);
  const rest = faults.length - SHOWN;
  return rest > 0 ? [...lines, plural(rest, 'more line', 'more lines')] : lines;
}

export function assertNoFaults({ source, faults }: RuleFile): void {
  if (faults.length === 0) return;
  throw new MtpError(
    'IMPORT_REFUSED',
    `${plural(faults.length, 'line')} of ${source} cannot be imported; nothing was`,
    {
      exit: EXIT.precondition,
      hint: 'Correct the file, or import the other lines with --partial.',
    },
  );
}

export interface ExportedRules {
  rules: number;
  /** Null where `text` is to be printed. */
  file: string | null;
  text: string | null;
}

/** All rules as CSV, into a new file or as text. */
export async function exportRules(files: UserFiles, file: string | undefined): Promise<ExportedRules> {
  if (file !== undefined) refusePresent(file);
  const { rules } = await listAccess(files);
  const text = writeCsv([[...COLUMNS], ...rules.map(cellsOf)]);
  if (file === undefined) return { rules: rules.length, file: null, text };
  await writeAtomic(file, text);
  return { rules: rules.length, file, text: null };
}

function cellsOf({ prefix, level, mode, reason, windows, zone, until }: AccessRule): string[] {
  const when = windows.map(formatWindow).join(`${BETWEEN_WINDOWS} `);
  const ends = until === null ? '' : new Date(until).toISOString();
  return [formatPrefix(prefix), level, mode, reason, when, windows.length === 0 ? '' : zone, ends];
}

function isCsv(text: string): boolean {
  return /^\uFEFF?"?network"?,/i.test(text);
}

function readList(text: string, words: RuleWords, now: number): Omit<RuleFile, 'source'> {
  const wish = readRuleWish(words, now);
  const { prefixes, faults } = parseNetworkList(text);
  return {
    wishes: prefixes.map((prefix) => ({ ...wish, prefix })),
    faults: faults.map(({ line, text: said }) => ({ line, fault: `${JSON.stringify(said)} is no network` })),
  };
}

function readCsv(text: string, source: string, now: number): Omit<RuleFile, 'source'> {
  const { rows, fault } = parseCsv(text);
  const [header, ...lines] = rows;
  const columns = header?.fields.map((field) => field.trim().toLowerCase()) ?? [];
  const unknown = columns.find((name) => !COLUMNS.some((known) => known === name));
  if (unknown !== undefined) {
    throw new MtpError(
      'IMPORT_HEADER',
      `${source}, line 1: there is no column ${JSON.stringify(unknown.slice(0, 40))}`,
      {
        exit: EXIT.precondition,
        hint: `The first line names the columns, of these: ${COLUMNS.join(', ')}.`,
      },
    );
  }
  const file: Omit<RuleFile, 'source'> = { wishes: [], faults: [] };
  for (const { line, fields } of lines) {
    try {
      file.wishes.push(...readRow(columns, fields, now));
    } catch (error) {
      if (!(error instanceof MtpError)) throw error;
      file.faults.push({ line, fault: error.message });
    }
  }
  if (fault !== undefined) file.faults.push(fault);
  return file;
}

function readRow(columns: string[], fields: string[], now: number): RuleWish[] {
  const cell = (name: string): string | undefined => unguard(fields[columns.indexOf(name)]?.trim() ?? '') || undefined;
  const until = cell('until');
  if (until !== undefined && Date.parse(until) <= now) return [];
  const window = cell('windows')?.split(BETWEEN_WINDOWS);
  const words = { level: cell('level'), mode: cell('mode'), reason: cell('reason'), window, zone: cell('zone'), until };
  const wish = readRuleWish(words, now);
  return readNetworks(cell('network') ?? '').map((prefix) => ({ ...wish, prefix }));
}
