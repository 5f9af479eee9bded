import { ensureDirectory } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { withLock } from '../system/lock.ts';
import { daemonFiles } from './daemon-files.ts';
import { type Started, type StartOptions, startUnlocked } from './start.ts';
import { type StopResult, stopUnlocked } from './stop.ts';

export interface Restarted {
  stopped: StopResult;
  started: Started;
}

const LOCK_MS = 120_000;

/** Stop the proxy, where it runs, and start it; nobody else starts or stops it in between. */
export async function restart(paths: Paths, options: StartOptions & { now: boolean }): Promise<Restarted> {
  await ensureDirectory(paths.state);
  await ensureDirectory(paths.logs);
  return withLock(
    daemonFiles(paths).lock,
    async () => ({ stopped: await stopUnlocked(paths, options), started: await startUnlocked(paths, options) }),
    LOCK_MS,
  );
}
