import os from 'node:os';
import { type OperatorAddress, operatorAddresses } from '../host/operator.ts';
import { confirm } from '../ui/prompt.ts';
import { explain } from './explain.ts';
import { letsIn } from './level.ts';
import { type AccessFiles, loadAccess } from './load.ts';
import { addressWords } from './prefix.ts';
import type { Access } from './rule.ts';
import type { RuleWish } from './rule-wish.ts';

/** The operator's own addresses that are let in now, and would not be any more after a change. */
export async function ownHits(
  files: AccessFiles,
  change: (access: Access) => Access,
  now: number,
): Promise<OperatorAddress[]> {
  const before = await loadAccess(files);
  const after = change(before);
  const addresses = await operatorAddresses(process.env, os.networkInterfaces());
  return addresses.filter(({ address }) => {
    const words = addressWords(address);
    return words !== null && explain(before, words, now).lets && !explain(after, words, now).lets;
  });
}

/** As `ownHits`, of rules that are to be kept; a time at which one will keep somebody out counts as now. */
export async function hitsOfRules(files: AccessFiles, wishes: RuleWish[], now: number): Promise<OperatorAddress[]> {
  if (wishes.every(({ level }) => letsIn(level))) return [];
  const rules = wishes.map((wish) => ({
    ...wish,
    ...(letsIn(wish.level) ? {} : { windows: [], until: null }),
    id: 0,
    createdAt: now,
  }));
  return ownHits(files, (access) => ({ ...access, rules: [...access.rules, ...rules] }), now);
}

/** Warn of what a change would do to the operator, and ask whether to go on; with `yes` it is not asked. */
export async function goesOn(
  hits: OperatorAddress[],
  { yes, warn }: { yes: boolean; warn: (sentence: string) => void },
): Promise<boolean> {
  for (const { address, what } of hits) warn(`The proxy would not let ${address} in any more, ${what}.`);
  return hits.length === 0 || yes || confirm('Go on all the same?', '--yes');
}
