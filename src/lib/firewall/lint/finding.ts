import type { PacketRule } from '../rules/rule.ts';

/** The faults that are known, by what names them. */
export const FAULTS = {
  'ssh-cut': {
    severity: 'error',
    why: 'Nobody gets to SSH by a new connection; when yours ends, you are locked out.',
    fix: 'Let the SSH port in before the rule or policy that refuses.',
  },
  'no-established': {
    severity: 'error',
    why: 'Answers to what this machine asks are dropped: Telegram, name servers and updates are out of reach.',
    fix: 'Accept the states ESTABLISHED and RELATED first.',
  },
  'loopback-cut': {
    severity: 'error',
    why: 'Programs of this machine do not reach each other: name service, control sockets on TCP, local statistics.',
    fix: 'Accept everything that comes in by lo first.',
  },
  'ipv6-untouched': {
    severity: 'error',
    why: 'IPv4 is closed and IPv6 is open: every port is reached by the other family.',
    fix: 'Write the same rules for IPv6 (ip6tables, or a table of family inet).',
  },
  'global-limit': {
    severity: 'error',
    why: 'It counts all sources together: one attacker uses it up, and everybody else is refused.',
    fix: 'Count each source for itself: hashlimit with --hashlimit-mode srcip, or a dynamic set of nftables.',
  },
  'behind-accept': {
    severity: 'error',
    why: 'A rule before accepts all that this one speaks of, so that it never sees a packet.',
    fix: 'Put it before the rule that accepts.',
  },
  'behind-drop': {
    severity: 'error',
    why: 'A rule before refuses all that this one speaks of, so that it never sees a packet.',
    fix: 'Put it before the rule that refuses.',
  },
  'limit-without-drop': {
    severity: 'error',
    why: 'What is over the limit is accepted by a later rule or by the policy: it limits nothing.',
    fix: 'Drop what is over the limit, or refuse the port right behind it.',
  },
  'docker-past-ufw': {
    severity: 'warning',
    why: 'Docker sends published ports on before INPUT and ufw see them: they are open whatever those say.',
    fix: 'Publish to 127.0.0.1 only, or close them in a hook before: firewall.admin_ports of mtp does.',
  },
  'not-persistent': {
    severity: 'warning',
    why: 'Nothing loads these rules when the machine starts.',
    fix: 'Save them with netfilter-persistent or in /etc/nftables.conf; those of mtp with: mtp firewall persist',
  },
  'redirect-not-root': {
    severity: 'warning',
    why: 'sudo is for the program, the file behind > is opened by your shell without it: nothing is saved.',
    fix: 'Write: sudo sh -c "iptables-save > FILE", or sudo netfilter-persistent save',
  },
} as const satisfies Record<string, { severity: 'error' | 'warning'; why: string; fix: string }>;

export type FaultId = keyof typeof FAULTS;

export interface Finding {
  id: FaultId;
  severity: 'error' | 'warning';
  /** In the recipe, from 1; null for rules in force. */
  line: number | null;
  /** The rule, the policy or the port that it is about. */
  where: string;
  why: string;
  fix: string;
}

export function finding(id: FaultId, where: string, line?: number): Finding {
  return { id, severity: FAULTS[id].severity, line: line ?? null, where, why: FAULTS[id].why, fix: FAULTS[id].fix };
}

export function aboutRule(id: FaultId, rule: PacketRule): Finding {
  return finding(id, rule.text, rule.line);
}
