import { existsSync, readlinkSync } from 'node:fs';
import { MtpError } from '../errors.ts';
import { type Exec, lastWords } from '../system/exec.ts';
import { startScript } from './run-script.ts';

const unitOf = (id: string): string => `mtp-firewall-rollback-${id}`;

/** Have the script run in so many seconds, whatever becomes of this process: by systemd where it runs, else by sh. */
export async function startTimer(exec: Exec, script: string, id: string, seconds: number): Promise<'systemd' | 'sh'> {
  if (!systemdIsOurs()) {
    await startScript(script, String(seconds));
    return 'sh';
  }
  const ran = await exec('systemd-run', [
    `--unit=${unitOf(id)}`,
    `--on-active=${seconds}s`,
    '--timer-property=AccuracySec=1s',
    '--collect',
    '/bin/sh',
    script,
  ]);
  if (ran.status === 0) return 'systemd';
  throw new MtpError('TIMER_FAILED', `systemd does not take the timer for the way back: ${lastWords(ran)}`, {
    hint: 'Nothing was changed.',
  });
}

/** A timer that has nothing left to do need not wait; that of sh finds out by itself. */
export async function stopTimer(exec: Exec, id: string): Promise<void> {
  if (systemdIsOurs()) await exec('systemctl', ['stop', `${unitOf(id)}.timer`]);
}

/** systemd runs, and what it starts sees the network that we see. */
function systemdIsOurs(): boolean {
  if (!existsSync('/run/systemd/system')) return false;
  try {
    return readlinkSync('/proc/self/ns/net') === readlinkSync('/proc/1/ns/net');
  } catch {
    return false;
  }
}
