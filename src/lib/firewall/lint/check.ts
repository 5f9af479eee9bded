import { type Fate, fateOf, type Packet } from '../rules/fate.ts';
import type { PacketRule, RuleChain } from '../rules/rule.ts';
import { aboutRule, type FaultId, type Finding, finding } from './finding.ts';

/** Rules of any origin, and what is known around them. */
export interface RuleSet {
  chains: RuleChain[];
  sshPorts: number[];
  /** Ports that Docker publishes to everybody. */
  published: { port: number; line?: number }[];
  /** What a start of the machine does not bring back, such as `table inet filter`. */
  fleeting: string[];
  /** Faults that reading has found. */
  findings: Finding[];
}

const FAMILIES = [4, 6] as const;

/** The faults of a set of rules, those that hurt most first. */
export function checkRules(rules: RuleSet): Finding[] {
  const { chains, sshPorts, published, fleeting } = rules;
  const found = [
    ...FAMILIES.flatMap((family) => checkFamily(chains, family, sshPorts)),
    ...(isClosed(chains, 4) && !isClosed(chains, 6) ? [finding('ipv6-untouched', 'IPv6')] : []),
    ...chains
      .filter(({ hook }) => hook !== 'output' && hook !== 'forward')
      .flatMap((chain) => checkOrder(chains, chain)),
    ...(chains.some(({ hook }) => hook === 'input') && (isClosed(chains, 4) || isClosed(chains, 6))
      ? published.map(({ port, line }) => finding('docker-past-ufw', `port ${port}`, line))
      : []),
    ...fleeting.map((what) => finding('not-persistent', what)),
    ...rules.findings,
  ];
  // What both families share is told once.
  const keys = found.map(({ id, where, line }) => JSON.stringify([id, where, line]));
  const unique = found.filter((_, at) => keys.indexOf(keys[at] ?? '') === at);
  return unique.toSorted((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'));
}

function isClosed(chains: RuleChain[], family: 4 | 6): boolean {
  return input(chains, { family, iface: 'outside', port: null, state: 'new' }).verdict === 'drop';
}

function input(chains: RuleChain[], packet: Packet): Fate {
  return fateOf(chains, 'input', packet);
}

function checkFamily(chains: RuleChain[], family: 4 | 6, sshPorts: number[]): Finding[] {
  const cut = (id: FaultId, packet: Omit<Packet, 'family'>, what: string): Finding[] => {
    const fate = input(chains, { family, ...packet });
    if (fate.verdict !== 'drop' || fate.some.length > 0) return [];
    const by = fate.by === undefined ? 'the policy for what comes in' : fate.by.text;
    return [finding(id, `${what}: ${by}`, fate.by?.line)];
  };
  return [
    ...sshPorts.flatMap((port) => cut('ssh-cut', { iface: 'outside', port, state: 'new' }, `SSH port ${port}`)),
    ...cut('no-established', { iface: 'outside', port: null, state: 'established' }, 'answers'),
    ...cut('loopback-cut', { iface: 'lo', port: null, state: 'new' }, 'lo'),
  ];
}

function checkOrder(chains: RuleChain[], chain: RuleChain): Finding[] {
  return chain.rules.flatMap((rule, at): Finding[] => {
    const { verdict, limit, protocol } = rule;
    const restricts = verdict === 'drop' || verdict === 'reject' || limit !== undefined;
    const before = chain.rules.slice(0, at).find((other) => covers(other, rule));
    const isHidden = before !== undefined && (before.verdict === 'accept' ? restricts : verdict === 'accept');
    return [
      ...(isHidden ? [aboutRule(before.verdict === 'accept' ? 'behind-accept' : 'behind-drop', rule)] : []),
      ...(limit === 'all' && verdict !== 'none' && protocol !== 'icmp' && protocol !== 'ipv6-icmp'
        ? [aboutRule('global-limit', rule)]
        : []),
      ...(limit !== undefined && verdict === 'accept' && before === undefined && passesAnyhow(chains, chain, rule)
        ? [aboutRule('limit-without-drop', rule)]
        : []),
    ];
  });
}

/** Whether all packets of a rule end at the one before it. */
function covers(before: PacketRule, rule: PacketRule): boolean {
  if (before.verdict !== 'accept' && before.verdict !== 'drop' && before.verdict !== 'reject') return false;
  if (before.limit !== undefined || before.isNarrow || before.states !== undefined) return false;
  if (before.source !== undefined && before.source.block !== rule.source?.block) return false;
  if (before.iface !== undefined && before.iface.name !== rule.iface?.name) return false;
  if (before.protocol !== undefined && before.protocol !== rule.protocol) return false;
  if (before.ports === undefined) return true;
  const { ranges, not } = before.ports;
  return (
    !not &&
    rule.ports?.not === false &&
    rule.ports.ranges.every(({ from, to }) => ranges.some((range) => range.from <= from && to <= range.to))
  );
}

function passesAnyhow(chains: RuleChain[], chain: RuleChain, { ports, protocol }: PacketRule): boolean {
  if (protocol !== undefined && protocol !== 'tcp') return false;
  const port = ports?.not === false ? (ports.ranges[0]?.from ?? null) : null;
  return chain.families.some(
    (family) => fateOf(chains, 'input', { family, iface: 'outside', port, state: 'new' }).verdict === 'accept',
  );
}
