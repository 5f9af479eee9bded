/** One `KEY=value` of a `.env` file. */
export interface EnvEntry {
  key: string;
  value: string;
  /** How the value is written. */
  quote: '' | "'" | '"';
  /** Counted from 1. */
  line: number;
  /** Offsets of the written value in the text, quotes included. */
  start: number;
  end: number;
}

/** A line of a `.env` file that is neither an entry, a comment nor blank. */
export interface EnvOddity {
  line: number;
}

const KEY = /[^\S\r\n]*(?:export[^\S\r\n]+)?([A-Za-z_][A-Za-z0-9_.-]*)[^\S\r\n]*=[^\S\r\n]*/y;
// The quotes must be closed, and nothing but a comment may follow; the value may run over several lines.
const SINGLE = /'([^']*)'(?=[^\S\r\n]*(?:#[^\r\n]*)?\r?(?:\n|$))/y;
const DOUBLE = /"((?:[^"\\]|\\[^])*)"(?=[^\S\r\n]*(?:#[^\r\n]*)?\r?(?:\n|$))/y;
const REST = /[^\r\n]*/y;
const IGNORED = /[^\S\r\n]*(?:#[^\r\n]*)?(?=\r?\n|\r?$)/y;
const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t' };

/** The entries of a `.env` file in order, those with the same key included. Never throws. */
export function parseEnv(text: string): { entries: EnvEntry[]; oddities: EnvOddity[] } {
  const entries: EnvEntry[] = [];
  const oddities: EnvOddity[] = [];
  let offset = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  while (offset < text.length) {
    const begun = offset;
    const key = at(KEY, text, offset);
    if (key !== null) {
      const entry = readValue(text, key[1] ?? '', offset + key[0].length, line);
      entries.push(entry);
      offset = entry.end;
    } else if (at(IGNORED, text, offset) === null) {
      oddities.push({ line });
    }
    const newline = text.indexOf('\n', offset);
    offset = newline === -1 ? text.length : newline + 1;
    line += countLines(text, begun, offset);
  }
  return { entries, oddities };
}

function readValue(text: string, key: string, start: number, line: number): EnvEntry {
  const single = at(SINGLE, text, start);
  if (single !== null) {
    return { key, value: single[1] ?? '', quote: "'", line, start, end: start + single[0].length };
  }
  const double = at(DOUBLE, text, start);
  if (double !== null) {
    const value = (double[1] ?? '').replace(/\\([^])/g, (whole, escaped: string) =>
      /["\\$`nrt]/.test(escaped) ? (ESCAPES[escaped] ?? escaped) : whole,
    );
    return { key, value, quote: '"', line, start, end: start + double[0].length };
  }
  const rest = at(REST, text, start)?.[0] ?? '';
  // A comment needs a space before it, or nothing at all: `a#b` is a value.
  const value = rest.replace(/(^|[^\S\r\n])#.*$/, '').trimEnd();
  return { key, value, quote: '', line, start, end: start + value.length };
}

function at(pattern: RegExp, text: string, offset: number): RegExpExecArray | null {
  pattern.lastIndex = offset;
  return pattern.exec(text);
}

function countLines(text: string, from: number, to: number): number {
  return text.slice(from, to).split('\n').length - 1;
}
