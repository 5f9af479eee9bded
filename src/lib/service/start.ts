import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { getStatus } from '../control/client.ts';
import type { StatusReply } from '../control/schema.ts';
import { EXIT, type ExitStatus, MtpError } from '../errors.ts';
import { ensureDirectory } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { withLock } from '../system/lock.ts';
import { daemonFiles, daemonLog } from './daemon-files.ts';
import { lastLines } from './log-lines.ts';
import { spawnDaemon } from './spawn-daemon.ts';
import { enableUnit, journalLines, systemctl, unitFailed } from './systemd.ts';
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
  /** Let the engine run as root, where there is no user mtp. */
  allowRoot: boolean;
  /** Have systemd start it whenever the machine starts, and read its unit anew before. */
  enable?: boolean;
  /** Whether somebody asked to stop: nothing is waited for any more. */
  stopped?: () => boolean;
}

const READY_MS = 60_000;
const POLL_MS = 50;
const LAST_LINES = 5;
/** A stop that is under way may take as long as connections drain. */
const LOCK_MS = 120_000;

/** Start the proxy in the background; resolves when clients can connect. One that runs already is left alone. */
export async function start(paths: Paths, options: StartOptions): Promise<Started> {
  await ensureDirectory(paths.state);
  await ensureDirectory(paths.logs);
  return withLock(daemonFiles(paths).lock, async () => startUnlocked(paths, options), LOCK_MS);
}

export async function startUnlocked(paths: Paths, options: StartOptions): Promise<Started> {
  const target = await findTarget(paths);
  const running = await getStatus(paths);
  const log = target === 'systemd' ? null : daemonLog(paths);
  if (running !== undefined) return { target, already: true, log, status: serving(running) };
  const status = target === 'systemd' ? await startUnit(paths, options) : await startInBackground(paths, options);
  return { target, already: false, log, status };
}

async function startUnit(paths: Paths, { enable = false, stopped }: StartOptions): Promise<StatusReply> {
  if (enable) await enableUnit();
  await systemctl('reset-failed').catch(() => undefined);
  await systemctl('start');
  return (
    (await ready(paths, async () => stopped?.() === true || unitFailed())) ??
    fail(undefined, await journalLines(LAST_LINES).catch(() => []))
  );
}

async function startInBackground(paths: Paths, options: StartOptions): Promise<StatusReply> {
  const log = daemonLog(paths);
  const from = (await stat(log).catch(() => ({ size: 0 }))).size;
  const child = await spawnDaemon(paths, options);
  const status = await ready(
    paths,
    async () => options.stopped?.() === true || child.exitCode !== null || child.signalCode !== null,
  );
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

/** Poll until the daemon answers; undefined where it ended or took too long. */
async function ready(paths: Paths, ended: () => Promise<boolean>): Promise<StatusReply | undefined> {
  const deadline = performance.now() + READY_MS;
  while (performance.now() < deadline) {
    const status = await getStatus(paths).catch(() => undefined);
    if (status !== undefined) return status;
    if (await ended()) return undefined;
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
