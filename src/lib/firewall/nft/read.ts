import { type NftExpr, printRule, word } from './print.ts';

/** What `nft -j list` answers, as far as it is used here. */
export interface NftListing {
  nftables: Record<string, NftExpr>[];
}

export interface NftChain {
  family: string;
  table: string;
  name: string;
  /** Undefined for a chain that only others jump to. */
  hook?: string;
  prio?: number;
  policy?: string;
  rules: { handle: number; expr: NftExpr[]; comment: string | undefined }[];
}

/** The chains of a listing with their rules, in the kernel's order. */
export function chainsIn({ nftables }: NftListing): NftChain[] {
  const chains = nftables.flatMap(({ chain }) =>
    chain === undefined ? [] : [{ ...(chain as unknown as NftChain), rules: [] as NftChain['rules'] }],
  );
  for (const { rule } of nftables) {
    if (rule === undefined) continue;
    const { family, table, chain, handle, expr, comment } = rule as {
      family: string;
      table: string;
      chain: string;
      handle: number;
      expr?: NftExpr[];
      comment?: string;
    };
    chains
      .find((one) => one.family === family && one.table === table && one.name === chain)
      ?.rules.push({ handle, expr: expr ?? [], comment });
  }
  return chains;
}

/** A table of the kernel as lines: sets and counters by name, then chains with their rules in order. Elements are left out. */
export function linesOfListing(listing: NftListing): string[] {
  const named = listing.nftables.flatMap(({ set, counter }) => [
    ...(set === undefined ? [] : [setLine(set)]),
    ...(counter === undefined ? [] : [`counter ${String(counter.name)}`]),
  ]);
  const chains = chainsIn(listing).flatMap(({ name, hook, prio, policy, rules }) => [
    `chain ${name}${hook === undefined ? '' : `: ${hook} ${prio ?? 0}, else ${policy ?? 'accept'}`}`,
    ...rules.map(({ expr, comment }) => `  ${printRule(expr, comment)}`),
  ]);
  return [...named.toSorted(), ...chains];
}

function setLine({ name, type, size, timeout, flags }: NftExpr): string {
  // The kernel has ways of its own to show that a set is dynamic.
  const shown = (Array.isArray(flags) ? flags.map(String) : []).filter((flag) => flag !== 'dynamic').toSorted();
  return [
    `set ${word(name)}: ${word(type)}`,
    ...(size === undefined ? [] : [`size ${word(size)}`]),
    ...shown,
    ...(timeout === undefined ? [] : [`${word(timeout)} s`]),
  ].join(', ');
}

/** The lines that a file of ours stands for, in the form of `linesOfListing`. */
export function linesOfFile(text: string): string[] {
  const named: string[] = [];
  const chains: string[] = [];
  for (const line of text.split('\n').map((one) => one.trim())) {
    const [, set, body] = /^set (\w+) \{ (.*) \}$/.exec(line) ?? [];
    const [, hook, prio, policy] = /^type filter hook (\w+) priority (-?\d+); policy (\w+);$/.exec(line) ?? [];
    const counter = /^counter (\w+) \{ \}$/.exec(line)?.[1];
    const chain = /^chain (\w+) \{$/.exec(line)?.[1];
    if (set !== undefined) named.push(setLine({ name: set, ...setFields(body ?? '') }));
    else if (counter !== undefined) named.push(`counter ${counter}`);
    else if (chain !== undefined) chains.push(`chain ${chain}`);
    else if (hook !== undefined) chains.push(`${chains.pop() ?? ''}: ${hook} ${prio ?? ''}, else ${policy ?? ''}`);
    else if (line !== '' && !/^(#|\}|(flush )?table )/.test(line)) chains.push(`  ${line}`);
  }
  return [...named.toSorted(), ...chains];
}

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

function setFields(body: string): NftExpr {
  const parts = body.split(';').map((part) => part.trim().split(' '));
  const field = (name: string): string | undefined => parts.find(([first]) => first === name)?.[1];
  const [, count = '0', unit = 's'] = /^(\d+)([smhd])$/.exec(field('timeout') ?? '') ?? [];
  const timeout = Number(count) * (UNIT_SECONDS[unit] ?? 1);
  return {
    type: field('type'),
    ...(field('size') === undefined ? {} : { size: Number(field('size')) }),
    ...(timeout === 0 ? {} : { timeout }),
    flags: field('flags')?.split(',') ?? [],
  };
}
