import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, MtpError } from '../errors.ts';
import { type Exec, lastWords } from '../system/exec.ts';
import { findPortHolders } from '../system/port-holder.ts';
import { isAlive, type Running } from './running.ts';

const POLL_MS = 50;
/** What systemd gives a unit before it kills it, and some more. */
const STOP_MS = 100_000;

/** Stop the other proxy and see that it has ended and left the port, unless somebody asks to stop. It is never killed. */
export async function stopOther(
  running: Running,
  port: number,
  { exec, stopped }: { exec: Exec; stopped: () => boolean },
): Promise<void> {
  const { pid, unit } = running;
  if (unit !== null) await systemctl(exec, unit, 'stop', '--no-block');
  else if (await isAlive(running)) process.kill(pid, 'SIGTERM');
  const deadline = performance.now() + STOP_MS;
  while (!stopped() && ((await isAlive(running)) || (await findPortHolders(port)).length > 0)) {
    if (performance.now() > deadline) {
      throw new MtpError('SWITCH_NOT_STOPPED', `process ${pid} was told to end, and holds port ${port} still`, {
        exit: EXIT.temporary,
      });
    }
    await sleep(POLL_MS);
  }
}

/** What a process that was told to end gets to do so before it counts as one that stays. */
const LAST_MS = 10_000;

/** Whether it stays, although it may have been told to end. */
export async function staysAlive(running: Running): Promise<boolean> {
  const deadline = performance.now() + LAST_MS;
  while (await isAlive(running)) {
    if (performance.now() > deadline) return true;
    await sleep(POLL_MS);
  }
  return false;
}

/** Start it again as it was. Resolves when it has been started, not when it listens. */
export async function startOther(running: Running, exec: Exec): Promise<void> {
  const { unit, argv, program, directory, environment, uid, gid } = running;
  if (unit !== null) {
    await systemctl(exec, unit, 'start', '--no-block');
    return;
  }
  const [name = program, ...args] = argv;
  const child = spawn(program, args, {
    argv0: name,
    cwd: directory,
    env: environment,
    detached: true,
    stdio: 'ignore',
    ...(process.getuid?.() === 0 ? { uid, gid } : {}),
  });
  await once(child, 'spawn');
  child.unref();
}

/** Have systemd forget to start its unit with the machine. */
export async function disableOther(unit: string, exec: Exec): Promise<void> {
  await systemctl(exec, unit, 'disable');
}

async function systemctl(exec: Exec, unit: string, ...words: string[]): Promise<void> {
  const ran = await exec('systemctl', [...words, '--', unit]);
  if (ran.status === 0) return;
  throw new MtpError('SYSTEMCTL', `systemctl ${words.join(' ')} ${unit} failed: ${lastWords(ran)}`, {
    exit: EXIT.failed,
  });
}
