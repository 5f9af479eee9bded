import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { formatPrefix, parsePrefix, type Prefix } from '../access/prefix.ts';
import { type Verdict, VERDICTS } from '../access/ruling.ts';
import { EXIT, MtpError } from '../errors.ts';
import { fileError } from '../system/files.ts';
import type { Ban } from './ban.ts';

/** Bans as text: a network, and after it what is done until when and why, tab-separated; the first alone is enough. */

/** More than the engine is meant to look through. */
const LINES_MOST = 100_000;

export interface ImportedBan {
  prefix: Prefix;
  /** Null where the line does not say. */
  verdict: Verdict | null;
  /** Unix ms; null for good, undefined where the line does not say. */
  until: number | null | undefined;
  reason: string;
}

export interface BanFile {
  bans: ImportedBan[];
  /** Lines that say something else, by number. */
  faults: { line: number; text: string }[];
}

/** Read lines; empty ones and what follows a # is skipped. */
export function parseBans(whole: string): BanFile {
  const lines = whole.split(/\r?\n/);
  if (lines.length > LINES_MOST) {
    throw new MtpError('TOO_MANY_BANS', `more than ${LINES_MOST.toLocaleString('en-US')} lines of bans`, {
      exit: EXIT.precondition,
      hint: 'Import large lists as access rules, which are looked up in one table.',
    });
  }
  const file: BanFile = { bans: [], faults: [] };
  for (const [index, line] of lines.entries()) {
    const said = line.replace(/#.*$/, '').trim();
    if (said === '') continue;
    const ban = parseLine(said);
    if (ban === null) file.faults.push({ line: index + 1, text: said.slice(0, 60) });
    else file.bans.push(ban);
  }
  return file;
}

function parseLine(line: string): ImportedBan | null {
  const [network = '', verdict = '', until = '', ...reason] = line.split('\t');
  const prefix = parsePrefix(network.trim());
  if (prefix === null) return null;
  if (verdict !== '' && !(VERDICTS as readonly string[]).includes(verdict)) return null;
  const end = until === '' ? undefined : until === 'never' ? null : Date.parse(until);
  if (Number.isNaN(end)) return null;
  return { prefix, verdict: verdict === '' ? null : (verdict as Verdict), until: end, reason: reason.join(' ') };
}

export function formatBans(bans: readonly Ban[]): string {
  const lines = bans.map(({ prefix, verdict, until, reason }) =>
    [
      formatPrefix(prefix),
      verdict,
      until === null ? 'never' : new Date(until).toISOString(),
      reason.replace(/[\t\r\n#]+/g, ' '),
    ].join('\t'),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** The text of a file; `-` is standard input. */
export async function readBanFile(file: string): Promise<string> {
  if (file === '-') return text(process.stdin);
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw fileError('read', file, error);
  });
}

const SHOWN = 5;

/** Lines that say nothing that can be done are an error which names the first of them. */
export function refuseFaults(file: string, faults: BanFile['faults']): void {
  if (faults.length === 0) return;
  const named = faults.slice(0, SHOWN).map(({ line, text }) => `line ${line}: ${JSON.stringify(text)}`);
  const rest = faults.length - named.length;
  throw new MtpError(
    'BANS_INVALID',
    `${file === '-' ? 'standard input' : file}: ${named.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`,
    { exit: EXIT.precondition, hint: 'Nothing was changed. Each line begins with an address or a network.' },
  );
}
