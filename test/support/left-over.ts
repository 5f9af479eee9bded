import { readdir, readFile } from 'node:fs/promises';
import { signal } from '../../src/lib/service/processes.ts';

/** In the environment of everything that a test starts, down to engines whose daemon it kills. */
const MARK = 'MTP_TEST_HOME';

/** What to add to the environment of processes that belong to this directory. */
export function markOf(home: string): NodeJS.ProcessEnv {
  return { [MARK]: home };
}

/** End all processes that belong to this directory, whoever their parents were. */
export async function killMarked(home: string): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (environment.split('\0').includes(`${MARK}=${home}`)) signal([Number(pid)], 'SIGKILL');
  }
}
