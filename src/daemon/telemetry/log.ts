import { pino } from 'pino';
import { paint } from '../../lib/ui/paint.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Detail = Record<string, string | number | boolean | null>;

/** One line an event: a stable name for machines, its facts, and a sentence for people where there is one. */
export interface Log {
  (level: Level, event: string, detail?: Detail, sentence?: string): void;
}

/** The least severe level that is logged; it may change at any time. */
export interface Threshold {
  readonly level: Level;
}

const RANK: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** JSON lines for journals and files. */
export function jsonLog(stream: { write(line: string): unknown }, threshold: Threshold): Log {
  const logger = pino(
    {
      level: 'debug',
      base: { pid: process.pid },
      formatters: { level: (name) => ({ level: name }) },
      timestamp: isoTime,
    },
    stream,
  );
  return (at, event, detail = {}, sentence) => {
    if (RANK[at] >= RANK[threshold.level]) logger[at]({ event, ...detail }, sentence);
  };
}

/** Short lines for a person at a terminal. */
export function humanLog(stream: NodeJS.WriteStream, threshold: Threshold, now: () => Date): Log {
  const colours = paint(stream);
  const mark = { debug: colours.dim('·'), info: colours.cyan('•'), warn: colours.yellow('!'), error: colours.red('✖') };
  return (at, event, detail = {}, sentence) => {
    if (RANK[at] < RANK[threshold.level]) return;
    const facts = Object.entries(detail).map(([key, value]) => `${key}=${String(value)}`);
    const text = sentence ?? [event.replaceAll('_', ' '), ...facts].join(' ');
    stream.write(`${colours.dim(now().toTimeString().slice(0, 8))} ${mark[at]} ${text}\n`);
  };
}

function isoTime(): string {
  return `,"time":"${new Date().toISOString()}"`;
}
