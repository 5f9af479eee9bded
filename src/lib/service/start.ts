import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { getStatus } from '../control/client.ts';
import type { StatusReply } from '../control/schema.ts';
import { EXIT, type ExitStatus, MtpError } from '../errors.ts';
import { ensureDirectory } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { withLock } from '../system/lock.ts';
import { daemonFiles } from './daemon-files.ts';
import { lastLines } from './log-lines.ts';
import { journalLines, systemctl } from './systemd.ts';
import { findTarget, type Target } from './target.ts';

export interface Started {
  target: Target;
  /** It ran already. */
  already: boolean;
  /** Null where no file is written by us. */
  log: string | null;
  status: StatusReply;
}

export interface StartOptions {
  /** The script of the command line, to start the daemon with. */
  script: string;
  /** Further arguments of `mtp run`. */
  args: string[];
}

const READY_MS = 60_000;
const POLL_MS = 50;
const LAST_LINES = 5;
/** A stop that is under way may take as long as connections drain. */
const LOCK_MS = 120_000;

/** Start the proxy in the background; resolves when clients can connect. One that runs already is left alone. */
export async function start(paths: Paths, options: StartOptions): Promise<Started> {
  await ensureDirectory(paths.state);
  return withLock(daemonFiles(paths).lock, async () => startUnlocked(paths, options), LOCK_MS);
}

export async function startUnlocked(paths: Paths, options: StartOptions): Promise<Started> {
  const target = await findTarget(paths);
  const running = await getStatus(paths);
  const log = target === 'systemd' ? null : daemonFiles(paths).log;
  if (running !== undefined) return { target, already: true, log, status: serving(running) };
  const status = target === 'systemd' ? await startUnit(paths) : await startInBackground(paths, options);
  return { target, already: false, log, status };
}

async function startUnit(paths: Paths): Promise<StatusReply> {
  await systemctl('reset-failed').catch(() => undefined);
  await systemctl('start');
  return (await ready(paths, () => false)) ?? fail(undefined, await journalLines(LAST_LINES).catch(() => []));
}

async function startInBackground(paths: Paths, { script, args }: StartOptions): Promise<StatusReply> {
  const { log } = daemonFiles(paths);
  const from = (await stat(log).catch(() => ({ size: 0 }))).size;
  const child = spawnDaemon(log, [script, 'run', '--daemon', '--log-file', log, ...args]);
  const status = await ready(paths, () => child.exitCode !== null || child.signalCode !== null);
  child.unref();
  if (status !== undefined) return status;
  const code = child.exitCode;
  if (code === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  return fail(code, await lastLines(log, LAST_LINES, from));
}

/** A daemon alone serves nobody. */
function serving(status: StatusReply): StatusReply {
  const { state, lastError } = status.engine;
  if (state === 'running') return status;
  throw new MtpError('NOT_SERVING', `the proxy (process ${status.pid}) runs, but its engine is ${state}`, {
    exit: EXIT.failed,
    hint: `${lastError === null ? 'It' : `Last error: ${lastError.message}. It`} is tried again: see "mtp status".`,
  });
}

/** What it says before it has a log goes to the same file. */
function spawnDaemon(log: string, args: string[]): ChildProcess {
  const output = openSync(log, 'a', 0o600);
  try {
    return spawn(process.execPath, [...process.execArgv, ...args], {
      detached: true,
      stdio: ['ignore', output, output],
    });
  } finally {
    closeSync(output);
  }
}

/** Poll until the daemon answers; undefined where it ended or took too long. */
async function ready(paths: Paths, ended: () => boolean): Promise<StatusReply | undefined> {
  const deadline = performance.now() + READY_MS;
  while (performance.now() < deadline) {
    const status = await getStatus(paths).catch(() => undefined);
    if (status !== undefined) return status;
    if (ended()) return undefined;
    await sleep(POLL_MS);
  }
  return undefined;
}

const STATUSES: number[] = Object.values(EXIT);

function fail(code: number | null | undefined, lines: string[]): never {
  // A daemon that could not start says so in its last words.
  const said = lines.map((line) => line.replace(/^error: /, '')).join('\n  ');
  const exit = STATUSES.includes(code ?? -1) && code !== 0 ? (code as ExitStatus) : EXIT.failed;
  const message = code === null ? 'the proxy did not become ready' : 'the proxy did not start';
  throw new MtpError('NOT_STARTED', said === '' ? `${message}, and did not say why` : `${message}:\n  ${said}`, {
    exit,
    hint: 'More of its log: mtp logs',
  });
}
