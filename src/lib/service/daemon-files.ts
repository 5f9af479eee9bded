import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeAtomic } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { z } from '../system/zod.ts';

/** Files by which a daemon and the commands about it find each other. */
export interface DaemonFiles {
  /** Process id of the running daemon. */
  pid: string;
  /** How the last one ended. */
  lastStop: string;
  /** Held while one is started or stopped. */
  lock: string;
  /** Process ids of the engines, a line each. */
  engines: string;
}

export function daemonFiles({ state }: Pick<Paths, 'state'>): DaemonFiles {
  return {
    pid: path.join(state, 'daemon.pid'),
    lastStop: path.join(state, 'last-stop.json'),
    lock: path.join(state, 'service.lock'),
    engines: path.join(state, 'engine.pid'),
  };
}

/** Log of a daemon that was started in the background without systemd. */
export function daemonLog({ logs }: Pick<Paths, 'logs'>): string {
  return path.join(logs, 'mtp.log');
}

const lastStopSchema = z.object({ pid: z.number(), at: z.number(), reason: z.string(), cut: z.number() });
export type LastStop = z.infer<typeof lastStopSchema>;

export async function saveLastStop(paths: Pick<Paths, 'state'>, stop: LastStop): Promise<void> {
  await writeAtomic(daemonFiles(paths).lastStop, `${JSON.stringify(stop)}\n`);
}

/** How the daemon with this process id ended; undefined where it did not say. */
export async function loadLastStop(paths: Pick<Paths, 'state'>, pid: number): Promise<LastStop | undefined> {
  const text = await readFile(daemonFiles(paths).lastStop, 'utf8').catch(() => '{}');
  try {
    const stop = lastStopSchema.safeParse(JSON.parse(text)).data;
    return stop?.pid === pid ? stop : undefined;
  } catch {
    return undefined;
  }
}
