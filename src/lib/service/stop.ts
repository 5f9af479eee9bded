import { getStatus, stopDaemon } from '../control/client.ts';
import { EXIT, MtpError } from '../errors.ts';
import { ensureDirectory } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { plural } from '../ui/format.ts';
import { withLock } from '../system/lock.ts';
import { daemonFiles, loadLastStop } from './daemon-files.ts';
import { findDaemon, findEngines, findUnannounced, gone, signal, wordsOf } from './processes.ts';
import { systemctl } from './systemd.ts';
import { findTarget, type StopTarget, stopTarget, type Target } from './target.ts';

export interface StopResult {
  target: StopTarget;
  /** Nothing ran. */
  already: boolean;
  pid: number | null;
  /** Engines of a daemon that had died, which were ended, too. */
  orphans: number[];
  /** Connections that were cut; null where a process was killed and could not count. */
  cut: number | null;
  killed: boolean;
}

/** With `--now`, how long processes have to end by themselves. */
const NOW_MS = 2_000;
/** Beyond the time to drain. */
const GRACE_MS = 20_000;
const KILL_MS = 5_000;
const LOCK_MS = 120_000;
/** What an engine without a daemon takes to drain. */
const ORPHAN_MS = 30_000;

export interface StopOptions {
  /** Wait for nobody. */
  now: boolean;
  /** Told before it is done what can only be said before. */
  warn?: ((sentence: string) => void) | undefined;
}

const ENDS_CONTAINER =
  'The proxy is what this container runs, so the container ends with it and this command too; by its restart policy it may ' +
  'start again. From outside it is stopped for good: docker compose stop, or kubectl scale --replicas=0.';

/** Stop the proxy and see that it has ended. Nothing running is no error. */
export async function stop(paths: Paths, options: StopOptions): Promise<StopResult> {
  await ensureDirectory(paths.state);
  // Who stops at once does not wait for somebody who drains.
  if (options.now) return stopUnlocked(paths, options);
  return withLock(daemonFiles(paths).lock, async () => stopUnlocked(paths, options), LOCK_MS);
}

export async function stopUnlocked(paths: Paths, { now, warn }: StopOptions): Promise<StopResult> {
  const target = await findTarget(paths);
  const unannounced = await findUnannounced(paths);
  const daemon =
    (await findDaemon(paths)) ?? (await getStatus(paths).catch(() => undefined))?.pid ?? unannounced.daemons[0];
  const engines = [...new Set([...(await findEngines(paths)), ...unannounced.engines])];
  if (daemon === undefined) return stopOrphans(paths, target, engines, now);
  const was = stopTarget(target, daemon, await wordsOf(daemon));
  if (was === 'container') warn?.(ENDS_CONTAINER);
  const waitMs = await order(paths, target, daemon, now);
  const left = await gone([daemon, ...engines], waitMs);
  if (left.length > 0 && !now) {
    throw new MtpError(
      'STILL_RUNNING',
      `process ${left.join(', ')} has not ended within ${Math.round(waitMs / 1000)} s`,
      {
        exit: EXIT.temporary,
        hint: 'Wait, or end it with: mtp stop --now',
      },
    );
  }
  if (left.length > 0) await kill(paths, left, target);
  const cut = (await loadLastStop(paths, daemon))?.cut ?? null;
  return { target: was, already: false, pid: daemon, orphans: [], cut, killed: left.length > 0 };
}

/** Tell the daemon to stop in the way that fits; returns how long that may take. */
async function order(paths: Paths, target: Target, daemon: number, now: boolean): Promise<number> {
  // One that was started by hand is none of systemd's.
  if (!now && target === 'systemd') await systemctl('stop');
  const reply = await stopDaemon(paths, { now }).catch(() => undefined);
  // A daemon that does not answer may still heed a signal.
  if (reply === undefined) signal([daemon], 'SIGTERM');
  if (now) return NOW_MS;
  return (reply?.drainMs ?? ORPHAN_MS) + GRACE_MS;
}

async function stopOrphans(paths: Paths, target: Target, engines: number[], now: boolean): Promise<StopResult> {
  signal(engines, 'SIGTERM');
  const left = await gone(engines, now ? NOW_MS : ORPHAN_MS + GRACE_MS);
  if (left.length > 0) await kill(paths, left, target);
  return {
    target,
    already: engines.length === 0,
    pid: null,
    orphans: engines,
    cut: engines.length === 0 ? 0 : null,
    killed: left.length > 0,
  };
}

async function kill(paths: Paths, pids: number[], target: Target): Promise<void> {
  signal(pids, 'SIGKILL');
  // The unit would be started again.
  if (target === 'systemd') await systemctl('stop');
  // A daemon that was starting may have started an engine since.
  const { engines } = await findUnannounced(paths);
  signal(engines, 'SIGKILL');
  const left = await gone([...pids, ...engines], KILL_MS);
  if (left.length > 0) {
    throw new MtpError('STILL_RUNNING', `process ${left.join(', ')} cannot be ended`, { hint: 'Try again as root.' });
  }
}

/** What a stop did, a line each. */
export function describeStop({ already, pid, orphans, cut, killed }: StopResult): string[] {
  if (already) return ['No proxy runs here.'];
  const lost =
    cut === null
      ? 'how many connections were cut is not known'
      : `${cut === 0 ? 'no connection' : plural(cut, 'connection')} was cut`;
  const connections = cut !== null && cut > 1 ? lost.replace(' was ', ' were ') : lost;
  const how = killed ? 'was killed' : 'has ended';
  if (pid === null) return [`No daemon ran; the engine that one had left (process ${orphans.join(', ')}) ${how}.`];
  return [`The proxy (process ${pid}) ${how}; ${connections}.`];
}
