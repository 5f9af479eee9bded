import { open } from 'node:fs/promises';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { fileError } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { daemonLog } from './daemon-files.ts';
import { journalLines } from './systemd.ts';
import { findTarget, UNIT } from './target.ts';

/** Enough for some thousand lines. */
const TAIL_BYTES = 2 ** 20;

/** The last lines of a file, at most what its last megabyte holds. With `from` only what follows that place. */
export async function lastLines(file: string, count: number, from = 0): Promise<string[]> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const start = Math.max(from, size - TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(0, size - start)), { position: start });
    const lines = buffer
      .toString('utf8', 0, bytesRead)
      .split('\n')
      .filter((line) => line !== '');
    return count === 0 ? [] : lines.slice(-count);
  } finally {
    await handle.close();
  }
}

/** The newest lines of the log, and the program that shows what follows. */
export interface LogView {
  source: string;
  lines: string[];
  follow: { program: string; args: string[] };
}

export async function viewLog(paths: Paths, count: number): Promise<LogView> {
  if ((await findTarget(paths)) === 'systemd') {
    const args = ['--unit', UNIT, '--lines', '0', '--follow', '--output', 'cat'];
    return { source: UNIT, lines: await journalLines(count), follow: { program: 'journalctl', args } };
  }
  const log = daemonLog(paths);
  // By name, so that a new file is followed after the old one was moved away.
  const follow = { program: 'tail', args: ['-n', '0', '-F', log] };
  try {
    return { source: log, lines: await lastLines(log, count), follow };
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') throw fileError('read', log, error);
    throw new MtpError('NO_LOG', `there is no log at ${log}`, {
      exit: EXIT.precondition,
      hint: 'A proxy in the foreground logs to its terminal; "mtp start" makes the file.',
      cause: error,
    });
  }
}
