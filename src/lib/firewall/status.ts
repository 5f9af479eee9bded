import { diffLines, type DiffLine } from '../config/diff.ts';
import { EXIT, type ExitStatus } from '../errors.ts';
import type { HostFirewall } from '../host/firewall.ts';
import type { Drops } from './guard.ts';
import { type Ending, findEnded, findPending } from './pending.ts';
import { readPersisted } from './persist.ts';
import { askSsh, type SshAnswer } from './ssh-answer.ts';
import type { World } from './world.ts';
import type { Exec } from '../system/exec.ts';

/** What is wanted against what the kernel has. */
export interface FirewallStatus {
  state: 'in force' | 'differs' | 'absent';
  backend: string;
  manager: HostFirewall['manager'];
  /** From the wanted rules to those of the kernel. */
  differences: DiffLine[];
  openings: { where: string; isOpen: boolean }[];
  /** Back ends that have rules of ours beside. */
  leftIn: string[];
  ssh: SshAnswer[];
  drops: Drops | null;
  pending: { id: string; secondsLeft: number } | null;
  /** Changes that were taken back or got stuck and that nobody looked at. */
  ended: { id: string; how: Ending }[];
  persisted: { isCurrent: boolean; enabled: boolean } | null;
}

export async function readFirewallStatus(
  dir: string,
  world: World,
  { exec, root, now }: { exec: Exec; root: string; now: () => number },
): Promise<FirewallStatus> {
  const { guard, others, openings, host } = world;
  const [pending, ended, ssh, persisted] = await Promise.all([
    findPending(dir),
    findEnded(dir),
    askSsh(world.ssh),
    readPersisted(dir, world, root, exec),
  ]);
  const differences = diffLines(world.wanted.join('\n'), world.now.join('\n'));
  const isAbsent = world.now.length === 0;
  return {
    state: isAbsent ? 'absent' : differences.length === 0 ? 'in force' : 'differs',
    backend: guard.name,
    manager: host.manager,
    differences: isAbsent ? [] : differences,
    openings: openings.map(({ where, isOpen }) => ({ where, isOpen })),
    leftIn: others.map(({ name }) => name),
    ssh,
    drops: isAbsent ? null : await guard.drops(),
    pending:
      pending === undefined
        ? null
        : { id: pending.id, secondsLeft: Math.max(0, Math.ceil((pending.until - now()) / 1000)) },
    ended: ended.filter(({ how }) => how !== 'confirmed'),
    persisted,
  };
}

/** 0 where all is as wanted, 1 where the kernel or a manager differs, 2 where it does not last. */
export function statusExit(status: FirewallStatus): ExitStatus {
  const { state, openings, leftIn, ssh, pending, ended, persisted } = status;
  const differs = state !== 'in force' || leftIn.length > 0 || openings.some(({ isOpen }) => !isOpen);
  const isBroken = ended.some(({ how }) => how === 'failed' || how === 'rolling') || ssh.some(({ ok }) => !ok);
  if (differs || isBroken) return EXIT.failed;
  const lasts = persisted !== null && persisted.isCurrent && persisted.enabled;
  return pending === null && lasts ? EXIT.ok : EXIT.warnings;
}
