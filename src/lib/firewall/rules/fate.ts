import { chainNamed, type PacketRule, type RuleChain } from './rule.ts';

/** A TCP packet to this machine, from a source that no rule names. */
export interface Packet {
  family: 4 | 6;
  iface: 'lo' | 'outside';
  /** Destination; null for one that no rule names. */
  port: number | null;
  state: 'new' | 'established';
}

/** What becomes of it. */
export interface Fate {
  verdict: 'accept' | 'drop';
  /** The rule that decides; undefined where a policy does. */
  by: PacketRule | undefined;
  /** Rules on the way that accept only some of these packets. */
  some: PacketRule[];
}

const DEEPEST = 16;

/** What the chains of a hook do to a packet, which has to pass every one of them. */
export function fateOf(chains: readonly RuleChain[], hook: RuleChain['hook'], packet: Packet): Fate {
  const bases = chains
    .filter((chain) => chain.hook === hook && chain.families.includes(packet.family))
    .toSorted((a, b) => (a.priority ?? 0) - (b.priority ?? 0));
  const some: PacketRule[] = [];
  let by: PacketRule | undefined;
  for (const base of bases) {
    const decided = walk(chains, base, packet, some, 0);
    by = decided ?? undefined;
    const isAccepted = decided === undefined ? base.policy === 'accept' : decided.verdict === 'accept';
    if (!isAccepted) return { verdict: 'drop', by, some };
  }
  return { verdict: 'accept', by, some };
}

/** The rule that decides in a chain and those it jumps to; undefined where none does. */
function walk(
  chains: readonly RuleChain[],
  chain: RuleChain,
  packet: Packet,
  some: PacketRule[],
  depth: number,
): PacketRule | undefined {
  for (const rule of chain.rules) {
    const matches = matchOf(rule, packet);
    if (matches === 'no') continue;
    const { verdict } = rule;
    if (verdict === 'return' && matches === 'yes') return undefined;
    if (typeof verdict === 'object') {
      const next = depth < DEEPEST ? chainNamed(chains, chain, verdict.jump) : undefined;
      const decided = next === undefined ? undefined : walk(chains, next, packet, some, depth + 1);
      if (decided !== undefined && matches === 'yes') return decided;
      if (decided?.verdict === 'accept') some.push(decided);
    } else if (verdict === 'accept' || verdict === 'drop' || verdict === 'reject') {
      if (matches === 'yes') return rule;
      if (verdict === 'accept') some.push(rule);
    }
  }
  return undefined;
}

function matchOf(rule: PacketRule, packet: Packet): 'yes' | 'no' | 'some' {
  if (rule.iface !== undefined) {
    const isLo = rule.iface.name === 'lo';
    if (packet.iface === 'lo' ? isLo === rule.iface.not : isLo && !rule.iface.not) return 'no';
    if (packet.iface === 'outside' && !isLo) return partly(rule, packet);
  }
  if (rule.protocol !== undefined && rule.protocol !== 'tcp') return 'no';
  if (rule.states !== undefined && !rule.states.includes(packet.state)) return 'no';
  if (rule.ports !== undefined) {
    const { port } = packet;
    const isIn = port !== null && rule.ports.ranges.some(({ from, to }) => from <= port && port <= to);
    if (isIn === rule.ports.not) return 'no';
  }
  return partly(rule, packet);
}

/** Of sources and limits nobody knows in advance. */
function partly({ source, limit, isNarrow }: PacketRule, { family }: Packet): 'yes' | 'no' | 'some' {
  const isOther = source !== undefined && source.block.includes(':') !== (family === 6);
  if (isOther) return 'no';
  return (source !== undefined && !source.not) || limit !== undefined || isNarrow ? 'some' : 'yes';
}
