import { readFile, readlink } from 'node:fs/promises';
import { EXIT, MtpError } from '../errors.ts';
import { type Exec, lastWords } from '../system/exec.ts';
import { fileError } from '../system/files.ts';

/** Another proxy that runs, told from every other process, and all that is needed to start it again as it was. */
export interface Running {
  pid: number;
  /** When it began, in ticks since the boot (proc(5), stat field 22): numbers of processes are used again. */
  startedAt: string;
  /** Unit of systemd that started it; null where nobody looks after it. */
  unit: string | null;
  argv: string[];
  program: string;
  directory: string;
  environment: NodeJS.ProcessEnv;
  uid: number;
  gid: number;
  /** It sees other processes or another network than we do. */
  contained: boolean;
}

/** The process of a unit or of a number. Undefined where the unit does not run. */
export async function findRunning(where: { unit: string } | { pid: number }, exec: Exec): Promise<Running | undefined> {
  if ('pid' in where) return readRunning(where.pid, await unitOf(where.pid, exec));
  const ran = await exec('systemctl', ['show', '--property=MainPID', '--value', '--', where.unit]);
  if (ran.status !== 0) {
    throw new MtpError('ADOPT', `${where.unit}: ${lastWords(ran)}`, { exit: EXIT.precondition });
  }
  const pid = Number(ran.stdout.trim());
  return pid > 1 ? readRunning(pid, where.unit) : undefined;
}

async function readRunning(pid: number, unit: string | null): Promise<Running> {
  const of = (name: string): string => `/proc/${pid}/${name}`;
  try {
    const [line, environment, status] = await Promise.all(
      ['cmdline', 'environ', 'status'].map(async (name) => readFile(of(name), 'utf8')),
    );
    const id = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status ?? '')?.[1]);
    const namespaces = await Promise.all(['pid', 'net'].map(async (name) => isForeign(of(`ns/${name}`), name)));
    return {
      pid,
      startedAt: (await startOf(pid)) ?? '',
      unit,
      argv: (line ?? '').split('\0').slice(0, -1),
      program: await readlink(of('exe')),
      directory: await readlink(of('cwd')),
      environment: Object.fromEntries(
        (environment ?? '').split('\0').flatMap((entry) => {
          const at = entry.indexOf('=');
          return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)]] : [];
        }),
      ),
      uid: id('Uid'),
      gid: id('Gid'),
      contained: namespaces.includes(true),
    };
  } catch (error) {
    throw fileError('read', of(''), error);
  }
}

/** Whether this very process is still there. */
export async function isAlive({ pid, startedAt }: Running): Promise<boolean> {
  return (await startOf(pid)) === startedAt;
}

/** Whether `pid` is this process or comes from it. */
export async function isOf(pid: number, running: Running): Promise<boolean> {
  for (let at = pid; at > 1;) {
    if (at === running.pid) return true;
    at = Number((await statOf(at))?.[1] ?? 0);
  }
  return false;
}

async function startOf(pid: number): Promise<string | undefined> {
  const fields = await statOf(pid);
  return fields?.[0] === 'Z' ? undefined : fields?.[19];
}

/** The fields of /proc/PID/stat from the third on: state, parent, …; the name before them may hold anything. */
async function statOf(pid: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

async function isForeign(file: string, name: string): Promise<boolean> {
  return (await readlink(file)) !== (await readlink(`/proc/self/ns/${name}`));
}

/** The unit that would start this process again if it were ended. */
async function unitOf(pid: number, exec: Exec): Promise<string | null> {
  const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
  const unit = /\/([^/\n]+\.service)$/m.exec(groups)?.[1];
  if (unit === undefined) return null;
  const ran = await exec('systemctl', ['show', '--property=MainPID', '--value', '--', unit]);
  return ran.status === 0 && Number(ran.stdout.trim()) === pid ? unit : null;
}
