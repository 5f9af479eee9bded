import type { NftExpr } from '../nft/print.ts';
import { printRule } from '../nft/print.ts';
import { chainsIn, type NftListing } from '../nft/read.ts';
import type { PacketRule, PortRange, RuleChain, Verdict } from './rule.ts';

const HOOKS = ['input', 'forward', 'output'] as const;

/** The chains of nftables, by `nft -j list ruleset`. */
export function chainsOfNft(listing: NftListing): RuleChain[] {
  return chainsIn(listing).flatMap(({ family, table, name, hook, prio, policy, rules }): RuleChain[] => {
    const families: (4 | 6)[] = family === 'ip' ? [4] : family === 'ip6' ? [6] : [4, 6];
    if (!['ip', 'ip6', 'inet'].includes(family)) return [];
    const known = HOOKS.find((one) => one === hook);
    return [
      {
        families,
        table: `${family} ${table}`,
        name,
        ...(hook === undefined ? {} : { hook: known ?? 'other' }),
        priority: prio ?? 0,
        policy: policy === 'drop' ? 'drop' : 'accept',
        rules: rules.map(({ expr, comment, handle }) => ruleOf(expr, comment, handle)),
      },
    ];
  });
}

function ruleOf(expressions: NftExpr[], comment: string | undefined, handle: number): PacketRule {
  const rule: PacketRule = { isNarrow: false, verdict: 'none', comment, handle, text: printRule(expressions, comment) };
  for (const expression of expressions) take(rule, expression);
  return rule;
}

function take(rule: PacketRule, expression: NftExpr): void {
  const [[kind, body] = ['', null]] = Object.entries(expression);
  const fields = (body ?? {}) as NftExpr;
  if (['accept', 'drop', 'return', 'reject'].includes(kind)) rule.verdict = kind as Verdict;
  else if (kind === 'jump' || kind === 'goto') rule.verdict = { jump: String(fields.target) };
  else if (kind === 'limit') rule.limit = 'all';
  else if (kind === 'ct count') rule.limit = 'all';
  else if (kind === 'set' || kind === 'meter') rule.limit = 'each';
  else if (kind === 'match') takeMatch(rule, fields);
  else if (!['counter', 'log', 'mangle'].includes(kind)) rule.isNarrow = true;
}

function takeMatch(rule: PacketRule, { op, left, right }: NftExpr): void {
  const { payload, meta, ct } = left as Record<string, NftExpr | undefined>;
  const not = op === '!=';
  const values = valuesOf(right);
  const field = `${String(payload?.protocol)} ${String(payload?.field)}`;
  if (/^(tcp|udp|th) dport$/.test(field)) {
    if (payload?.protocol !== 'th') rule.protocol = String(payload?.protocol);
    const ranges = values.flatMap(rangeOf);
    if (ranges.length === values.length) rule.ports = { ranges, not };
    else rule.isNarrow = true;
  } else if (/^ip6? saddr$/.test(field) && typeof right === 'string' && !right.startsWith('@')) {
    rule.source = { block: right, not };
  } else if (/^ip6? saddr$/.test(field))
    rule.source = { block: field.startsWith('ip6') ? '::/128' : '0.0.0.0/32', not };
  else if (meta?.key === 'iifname' || meta?.key === 'iif') rule.iface = { name: String(values[0]), not };
  else if (meta?.key === 'l4proto' && values.length === 1) rule.protocol = String(values[0]);
  else if (field === 'ip protocol' || field === 'ip6 nexthdr') rule.protocol = String(values[0]);
  else if (ct?.key === 'state' && !not) rule.states = values.map(String);
  else rule.isNarrow = true;
}

function valuesOf(right: unknown): unknown[] {
  if (Array.isArray(right)) return right;
  const { set } = (typeof right === 'object' && right !== null ? right : {}) as { set?: unknown };
  return Array.isArray(set) ? set : [right];
}

const SERVICES: Record<string, number> = { ssh: 22, http: 80, https: 443 };

function rangeOf(value: unknown): PortRange[] {
  const { range } = (typeof value === 'object' && value !== null ? value : {}) as { range?: unknown[] };
  const [from, to] = range ?? [value, value];
  const [first, last] = [from, to].map((port) => SERVICES[String(port)] ?? Number(port));
  return first !== undefined && last !== undefined && first >= 0 && last >= first ? [{ from: first, to: last }] : [];
}
