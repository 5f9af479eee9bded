import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { diffLines, formatDiff } from '../config/diff.ts';
import { EXIT, MtpError } from '../errors.ts';
import { readHostFirewall } from '../host/firewall.ts';
import type { Exec } from '../system/exec.ts';
import { withLock } from '../system/lock.ts';
import {
  arm,
  bootId,
  changeDirectory,
  type ChangeScripts,
  findPending,
  forgetUnarmed,
  type Pending,
  prepareChange,
  rollBack,
} from './pending.ts';
import { plainAddress } from './network.ts';
import { ensurePlace } from './place.ts';
import { runScript } from './run-script.ts';
import { joinScripts } from './script.ts';
import { askSsh, type SshAnswer } from './ssh-answer.ts';
import { startTimer } from './timer.ts';
import { readOpenings, type World } from './world.ts';

/** Where a change is, for whoever watches it. */
export type ChangeStep = 'prepared' | 'armed' | 'timed' | 'applied' | 'verified' | 'disarmed';

export interface ChangeEdges {
  exec: Exec;
  isRoot: boolean;
  reached: (step: ChangeStep) => void;
}

/** A change that was put into force and seen there, and that waits for its confirmation. */
export interface InForce {
  pending: Pending;
  timer: 'systemd' | 'sh';
  /** New connections to SSH, made after the change. */
  ssh: SshAnswer[];
}

/** Nobody else changes the rules meanwhile; somebody who does is an error with exit status 75. */
export async function withFirewallLock<Result>(dir: string, action: () => Promise<Result>): Promise<Result> {
  await ensurePlace(dir);
  return withLock(path.join(dir, 'lock'), action);
}

/**
 * Put what is wanted into force. The way back is written and armed before: whatever becomes of this process, the rules are
 * the new ones and confirmed, or those from before. What does not hold is taken back at once, with exit status 6.
 */
export async function putInForce(dir: string, world: World, seconds: number, edges: ChangeEdges): Promise<InForce> {
  return withFirewallLock(dir, async () => {
    await refusePending(dir);
    await forgetUnarmed(dir);
    const id = randomBytes(4).toString('hex');
    const before = await askSsh(world.ssh);
    await prepareChange(dir, id, await scriptsOf(world));
    edges.reached('prepared');
    const pending: Pending = { id, boot: await bootId(), until: Date.now() + seconds * 1000 };
    await arm(dir, pending);
    edges.reached('armed');
    const change = changeDirectory(dir, id);
    try {
      const timer = await startTimer(edges.exec, path.join(change, 'rollback.sh'), id, seconds);
      edges.reached('timed');
      const { status, said } = await runScript(path.join(change, 'apply.sh'));
      if (status !== 0) throw refused(said.split('\n').at(-1) ?? '');
      edges.reached('applied');
      const ssh = await verify(world, before, edges);
      edges.reached('verified');
      if ((await findPending(dir))?.id !== id) throw tooLate();
      return { pending, timer, ssh };
    } catch (error) {
      await rollBack(dir, id);
      throw error;
    }
  });
}

/** An error where a change waits; one whose timer is gone is taken back first. */
export async function refusePending(dir: string): Promise<void> {
  const pending = await findPending(dir);
  if (pending === undefined) return;
  // It is due, and its timer may be gone, or was never started.
  if (Date.now() > pending.until) return rollBack(dir, pending.id);
  const left = Math.max(0, Math.ceil((pending.until - Date.now()) / 1000));
  throw new MtpError('FIREWALL_PENDING', `a change waits to be confirmed; it is taken back in ${left} s`, {
    exit: EXIT.temporary,
    hint: 'Keep it with "mtp firewall confirm", or take it back with "mtp firewall rollback".',
  });
}

async function scriptsOf({ guard, others, intent, openings, ssh }: World): Promise<ChangeScripts> {
  const asked = openings.filter(({ isOpen }) => !isOpen);
  const operator = ssh.peer === null ? [] : guard.trust(plainAddress(ssh.peer));
  return {
    // Opened first and restricted then: nobody who is let in is kept out for a moment.
    apply: joinScripts([
      ...asked.map(({ put }) => put),
      await guard.put(intent),
      { files: {}, lines: operator },
      ...others.map(({ clear }) => clear),
    ]),
    restore: joinScripts([
      await guard.restore(),
      ...(await Promise.all(others.map(async (other) => other.restore()))),
      ...asked.map(({ restore }) => restore),
    ]),
    boot: joinScripts([await guard.boot(intent), ...openings.map(({ boot }) => boot)]),
  };
}

function refused(why: string): MtpError {
  return new MtpError('FIREWALL_REFUSED', `the kernel did not take the rules: ${why}`, {
    exit: EXIT.rolledBack,
    hint: 'The rules are those from before.',
  });
}

/** The kernel has what is wanted, everybody who was asked lets clients in, and SSH answers where it did before. */
async function verify(world: World, before: SshAnswer[], { exec, isRoot }: ChangeEdges): Promise<SshAnswer[]> {
  const { guard, others, wanted, intent, openings } = world;
  const faults: string[] = [];
  const differences = diffLines(wanted.join('\n'), (await guard.read()).join('\n'));
  if (differences.length > 0) faults.push(`the kernel has other rules: ${formatDiff(differences).join('; ')}`);
  for (const other of others) if ((await other.read()).length > 0) faults.push(`${other.name} still has rules of mtp`);
  const now = await readOpenings(exec, await readHostFirewall(exec, isRoot), intent.proxyPorts);
  for (const { isOpen, where, put } of now) {
    const wasAsked = openings.find((opening) => opening.where === where)?.put ?? put;
    if (!isOpen && wasAsked.lines.length > 0) faults.push(`${where} does not let clients in`);
  }
  const answers = await askSsh(world.ssh);
  for (const { port, address, ok, detail } of answers) {
    const was = before.find((answer) => answer.port === port)?.ok === true;
    if (was && !ok) faults.push(`SSH on ${address}:${port} does not answer any more: ${detail}`);
  }
  const [first] = faults;
  if (first === undefined) return answers;
  throw new MtpError('FIREWALL_NOT_PROVED', faults.length === 1 ? first : faults.join('\n  '), {
    exit: EXIT.rolledBack,
    hint: 'The rules are those from before.',
  });
}

/** The timer was quicker. */
export function tooLate(): MtpError {
  return new MtpError('FIREWALL_TOO_LATE', 'it was not confirmed in time: the rules from before are back', {
    exit: EXIT.rolledBack,
    hint: 'Apply again, and give yourself longer with --within.',
  });
}
