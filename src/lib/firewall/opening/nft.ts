import { fateOf } from '../rules/fate.ts';
import { chainsOfNft } from '../rules/from-nft.ts';
import type { PacketRule, RuleChain } from '../rules/rule.ts';
import type { NftListing } from '../nft/read.ts';
import { quoteSh, type Script } from '../script.ts';
import { markOf, type Opening } from './opening.ts';

/** Openings in chains of others that nftables has for incoming packets; those of iptables and firewalld are not among them. */
export function nftOpenings(listing: NftListing, ports: readonly number[]): Opening[] {
  const chains = chainsOfNft(listing);
  const bases = chains.filter(({ hook, name, table }) => hook === 'input' && name !== 'INPUT' && isForeign(table));
  return bases.flatMap((base) => {
    const closed = ports.filter((port) => isClosed(chains, base, port));
    const marked = markedPorts(base);
    if (closed.length === 0 && marked.length === 0) return [];
    return [openingIn(chains, base, { ports, closed, marked })];
  });
}

function isForeign(table: string): boolean {
  return table !== 'inet mtp' && !/ (firewalld|f2b-.*)$/.test(table);
}

function openingIn(
  chains: RuleChain[],
  base: RuleChain,
  { ports, closed, marked }: { ports: readonly number[]; closed: number[]; marked: number[] },
): Opening {
  const stale = marked.filter((port) => !ports.includes(port));
  // Where our rule is needed can be seen only without it.
  const own = marked.filter((port) => ports.includes(port) && isClosed(withoutMarks(chains), withoutMark(base), port));
  const place = [...base.table.split(' '), base.name].map(quoteSh).join(' ');
  // As it is when the machine starts: without rules of ours.
  const add = (port: number): string => addRule(place, withoutMark(base), port);
  const remove = (port: number): string => removeRule(place, port);
  const script = (lines: string[]): Script => ({ files: {}, lines });
  return {
    manager: 'nftables',
    where: `chain ${base.name} of table ${base.table}`,
    isOpen: closed.length === 0 && stale.length === 0,
    isMarked: marked.length > 0,
    steps: [
      ...closed.map((port) => `nftables: let tcp ${port} in, in chain ${base.name} of table ${base.table}`),
      ...stale.map((port) => `nftables: take the opening for ${port} away from table ${base.table}`),
    ],
    put: script([...stale.map(remove), ...closed.map(add)]),
    restore: script([...closed.filter((port) => !marked.includes(port)).map(remove), ...stale.map(add)]),
    boot: script(
      [...closed, ...own].map((port) => `if nft list chain ${place} >/dev/null 2>&1; then ${add(port)}; fi`),
    ),
    close: script(marked.map(remove)),
  };
}

function isClosed(chains: RuleChain[], base: RuleChain, port: number): boolean {
  const others = chains.filter((chain) => chain.hook === undefined);
  return base.families.some(
    (family) => fateOf([base, ...others], 'input', { family, iface: 'outside', port, state: 'new' }).verdict === 'drop',
  );
}

function markedPorts({ rules }: RuleChain): number[] {
  return rules.flatMap(({ comment }) => {
    const [, port] = /^mtp:(\d+)$/.exec(comment ?? '') ?? [];
    return port === undefined ? [] : [Number(port)];
  });
}

function withoutMark(chain: RuleChain): RuleChain {
  return { ...chain, rules: chain.rules.filter(({ comment }) => comment?.startsWith('mtp:') !== true) };
}

function withoutMarks(chains: RuleChain[]): RuleChain[] {
  return chains.map(withoutMark);
}

/** Behind the rules that pick out some packets, before the one that refuses all others. */
function addRule(place: string, { rules }: RuleChain, port: number): string {
  const rule = `tcp dport ${port} accept comment \\"${markOf(port)}\\"`;
  const at = rules.findIndex(refusesAll);
  const there = `nft list chain ${place} | grep -qF 'comment "${markOf(port)}"'`;
  const first = at === -1 ? `nft add rule ${place} ${rule}` : `nft insert rule ${place} index ${at} ${rule}`;
  return `${there} || ${first} || nft insert rule ${place} ${rule}`;
}

function removeRule(place: string, port: number): string {
  const handles = `sed -n 's/.*comment "${markOf(port)}".*# handle \\([0-9]*\\)$/\\1/p'`;
  return `nft -a list chain ${place} | ${handles} | while read -r handle; do nft delete rule ${place} handle "$handle"; done`;
}

/** Whether nothing gets past a rule. */
export function refusesAll({ verdict, iface, protocol, ports, source, states, limit, isNarrow }: PacketRule): boolean {
  const isFree = [iface, ports, source, states, limit].every((one) => one === undefined) && !isNarrow;
  return (verdict === 'drop' || verdict === 'reject') && isFree && (protocol === undefined || protocol === 'tcp');
}
