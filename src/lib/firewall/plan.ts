import { diffLines, type DiffLine } from '../config/diff.ts';
import type { HostFirewall } from '../host/firewall.ts';
import type { SshFacts } from '../host/ssh.ts';
import type { Intent } from './intent.ts';
import type { World } from './world.ts';

/** What would be changed, as data. */
export interface FirewallPlan {
  intent: Intent;
  /** What restricts. */
  backend: string;
  /** Who is in charge on this host, and is asked to open. */
  manager: HostFirewall['manager'];
  ssh: SshFacts;
  /** Rules of ours, from those in force to those wanted. */
  diff: DiffLine[];
  /** How many lines are in force. */
  now: number;
  /** What managers of the host are asked, a line each. */
  steps: string[];
  /** Back ends from which rules of ours go away. */
  leaves: string[];
  /** What to know, a sentence each. */
  warnings: string[];
  isNeeded: boolean;
}

export function planFirewall({ intent, host, ssh, guard, others, now, wanted, openings }: World): FirewallPlan {
  const diff = diffLines(now.join('\n'), wanted.join('\n'));
  const steps = openings.filter(({ isOpen }) => !isOpen).flatMap((opening) => opening.steps);
  const asked = openings.filter(({ isOpen, put }) => !isOpen && put.lines.length > 0);
  const leaves = others.map(({ name }) => name);
  return {
    intent,
    backend: guard.name,
    manager: host.manager,
    ssh,
    diff,
    now: now.length,
    steps,
    leaves,
    warnings: warningsOf(intent, host, ssh, guard.kind),
    isNeeded: diff.length > 0 || asked.length > 0 || leaves.length > 0,
  };
}

function warningsOf(intent: Intent, host: HostFirewall, ssh: SshFacts, kind: string): string[] {
  const published = (host.docker ?? []).filter((port) => !intent.proxyPorts.includes(port));
  const unguarded = published.filter((port) => !intent.adminPorts.includes(port));
  return [
    ...(ssh.ports.length === 0 ? ['No sshd was found here: that it stays reachable cannot be shown.'] : []),
    ...(unguarded.length === 0
      ? []
      : [
          `Docker publishes ${unguarded.join(', ')} past ufw and past chains INPUT; firewall.admin_ports closes them to strangers.`,
        ]),
    ...(kind === 'iptables' && host.iptables?.v6 === null
      ? ['ip6tables does not answer here: nothing is limited over IPv6.']
      : []),
    ...(kind === 'iptables' && intent.rate !== null
      ? ['iptables keeps 262,144 sources at most; while that many are counted, it refuses new ones. nftables does not.']
      : []),
  ];
}
