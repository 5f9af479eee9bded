import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Paths, serviceEnvironment } from '../system/paths.ts';
import { daemonFiles } from './daemon-files.ts';

const POLL_MS = 50;
/** Process numbers are used again: only the command line tells that it is still the same. */
const DAEMON = /\0run(\0|$)/;
const ENGINE = /\/engine\/main\.[jt]s(\0|$)/;
const STARTING = /(run|dev)\.js\0run\0--daemon\0/;

/** The daemon of this installation by its pid file; undefined where none runs. */
export async function findDaemon(paths: Pick<Paths, 'state'>): Promise<number | undefined> {
  return (await running(daemonFiles(paths).pid, DAEMON))[0];
}

/** All engines of this installation, those of a daemon that died included. */
export async function findEngines(paths: Pick<Paths, 'state'>): Promise<number[]> {
  return running(daemonFiles(paths).engines, ENGINE);
}

/** Daemon and engines that were started for these directories and have not said so in a file yet, by their environment. */
export async function findUnannounced(paths: Paths): Promise<{ daemons: number[]; engines: number[] }> {
  const marks = Object.entries(serviceEnvironment(paths)).map(([name, value]) => `\0${name}=${value}\0`);
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1 && pid !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const line = await commandLine(pid);
      const kind = STARTING.test(line) ? 'daemon' : ENGINE.test(line) ? 'engine' : undefined;
      if (kind === undefined) return [];
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      return marks.every((mark) => `\0${environment}`.includes(mark)) ? [{ pid, kind }] : [];
    }),
  );
  const those = (kind: string): number[] => found.flat().flatMap((one) => (one.kind === kind ? [one.pid] : []));
  return { daemons: those('daemon'), engines: those('engine') };
}

/** Send a signal; a process that is gone needs none. */
export function signal(pids: number[], name: 'SIGTERM' | 'SIGKILL'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Wait until these processes have ended, at most so long; returns those that have not. */
export async function gone(pids: number[], waitMs: number): Promise<number[]> {
  const deadline = performance.now() + waitMs;
  for (let left = pids; ; await sleep(POLL_MS)) {
    const lines = await Promise.all(left.map(async (pid) => commandLine(pid)));
    left = left.filter((_pid, index) => lines[index] !== '');
    if (left.length === 0 || performance.now() > deadline) return left;
  }
}

async function running(file: string, wanted: RegExp): Promise<number[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const pids = [...new Set(text.split('\n').map(Number))].filter((pid) => Number.isInteger(pid) && pid > 1);
  const lines = await Promise.all(pids.map(async (pid) => commandLine(pid)));
  return pids.filter((_pid, index) => wanted.test(lines[index] ?? ''));
}

/** The words that a process was started with; none where it has ended. */
export async function wordsOf(pid: number): Promise<string[]> {
  return (await commandLine(pid)).split('\0').filter((word) => word !== '');
}

/** Empty for a process that has ended, whether its parent knows or not. */
async function commandLine(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
}
