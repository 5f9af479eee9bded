/** Rules of any firewall in one form, as far as it matters who gets to which port. */

export type Verdict = 'accept' | 'drop' | 'reject' | 'return' | 'none' | { jump: string };

export interface PortRange {
  from: number;
  to: number;
}

export interface PacketRule {
  /** Interface that packets come in by. */
  iface?: { name: string; not: boolean };
  /** Lower case; undefined for any. */
  protocol?: string;
  /** Destination ports; undefined for any. */
  ports?: { ranges: PortRange[]; not: boolean };
  /** Source addresses; undefined for any. */
  source?: { block: string; not: boolean };
  /** States of connection tracking, lower case. */
  states?: string[];
  /** Counts packets or connections: of each source for itself, or of all together. */
  limit?: 'each' | 'all';
  /** Has conditions that are not known here. */
  isNarrow: boolean;
  verdict: Verdict;
  comment?: string | undefined;
  /** As its author or the kernel writes it. */
  text: string;
  /** In the file it is from, from 1. */
  line?: number;
  handle?: number;
}

export interface RuleChain {
  /** Families whose packets come here. */
  families: (4 | 6)[];
  /** Name of the table, with its family. */
  table: string;
  name: string;
  hook?: 'input' | 'forward' | 'output' | 'other';
  priority?: number;
  policy: 'accept' | 'drop';
  rules: PacketRule[];
}

/** The chain that a rule of another goes to. */
export function chainNamed(chains: readonly RuleChain[], { table, families }: RuleChain, name: string) {
  return chains.find(
    (chain) =>
      chain.table === table && chain.name === name && families.every((family) => chain.families.includes(family)),
  );
}
