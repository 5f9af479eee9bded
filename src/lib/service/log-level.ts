import { logLevelOf } from '../control/client.ts';
import type { LogLevel, LogReply } from '../control/schema.ts';
import { EXIT, MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';
import { formatSpan } from '../ui/format.ts';
import { notRunning } from './not-running.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies LogLevel[];

/** The level of the running proxy's log, changed first where one is given. */
export async function logLevel(paths: Paths, level?: LogLevel): Promise<LogReply> {
  const reply = await logLevelOf(paths, level);
  if (reply === undefined) throw await notRunning(paths);
  if (level !== undefined && reply.level !== level) {
    throw new MtpError('LOG_LEVEL', `the running proxy logs from ${reply.level} on, not from ${level}`, {
      exit: EXIT.failed,
    });
  }
  return reply;
}

/** `now` is Unix time in ms. */
export function describeLogLevel({ level, configured, until }: LogReply, now: number): string {
  if (level === configured) return `The log has events from ${level} on, as log.level says.`;
  const end = until === null ? 'until the next start' : `for ${formatSpan(until - now)}`;
  return `The log has events from ${level} on ${end}; log.level says ${configured}.`;
}
