import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoCode, MtpError } from '../errors.ts';
import { type Exec, lastWords } from '../system/exec.ts';
import { type Paths, serviceEnvironment } from '../system/paths.ts';
import { type ServiceManager, UNIT } from './start-daemon.ts';

/** How long open connections may go on before they are cut. */
const DRAIN_MS = 5_000;
const KILL_MS = 10_000;
const LONGEST_MS = 20_000;
const LOOK_MS = 50;

/** Stop the daemon, also one that does not answer yet, and see that it is gone. */
export async function stopService(manager: ServiceManager, paths: Paths, exec: Exec): Promise<void> {
  if (manager === 'systemd') {
    const ran = await exec('systemctl', ['disable', '--now', UNIT]);
    if (ran.status === 0 || /not loaded|does not exist/.test(ran.stderr)) return;
    throw new MtpError('STOP_FAILED', `systemctl disable --now ${UNIT} failed: ${lastWords(ran)}`);
  }
  const since = Date.now();
  let told: 'nothing' | NodeJS.Signals = 'nothing';
  for (let pids = await findProcesses(paths); pids.length > 0; pids = await findProcesses(paths)) {
    const passed = Date.now() - since;
    if (passed > LONGEST_MS) throw new MtpError('STOP_FAILED', `the proxy (pid ${pids.join(', ')}) does not end`);
    const next = passed > KILL_MS ? 'SIGKILL' : passed > DRAIN_MS ? 'SIGINT' : 'SIGTERM';
    if (next !== told) for (const pid of pids) signal(pid, next);
    told = next;
    await sleep(LOOK_MS);
  }
}

/** The processes that were started for these paths: the daemon, its engine, and what is about to become one of them. */
async function findProcesses(paths: Paths): Promise<number[]> {
  const marks = Object.entries(serviceEnvironment(paths)).map(([name, value]) => `\0${name}=${value}\0`);
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [environment, command] = await Promise.all(
        ['environ', 'cmdline'].map(async (name) => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '')),
      );
      const isMarked = marks.every((mark) => `\0${environment ?? ''}`.includes(mark));
      return isMarked && /\0run\0--daemon\0|engine\/main/.test(command ?? '') ? [pid] : [];
    }),
  );
  return found.flat();
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (errnoCode(error) !== 'ESRCH') throw error;
  }
}
