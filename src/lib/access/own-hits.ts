import { exemptions } from '../guard/exempt.ts';
import { confirm } from '../ui/prompt.ts';
import { explain } from './explain.ts';
import { letsIn } from './level.ts';
import { type AccessFiles, loadAccess } from './load.ts';
import { formatPrefix } from './prefix.ts';
import type { Access } from './rule.ts';
import type { RuleWish } from './rule-wish.ts';

/** An address of this machine, or of who is logged in on it. */
export interface OwnAddress {
  address: string;
  who: string;
}

/** Those that are let in now, and would not be any more after a change. */
export async function ownHits(
  files: AccessFiles,
  change: (access: Access) => Access,
  now: number,
): Promise<OwnAddress[]> {
  const before = await loadAccess(files);
  const after = change(before);
  const own = await exemptions([], process.env);
  const hit = own
    .filter(({ prefix: { words } }) => explain(before, words, now).lets && !explain(after, words, now).lets)
    .map(({ prefix, who }) => ({ address: formatPrefix(prefix), who }));
  return hit.filter(({ address }, at) => hit.findIndex((one) => one.address === address) === at);
}

/** As `ownHits`, of rules that are to be kept; a time at which one will keep somebody out counts as now. */
export async function hitsOfRules(files: AccessFiles, wishes: RuleWish[], now: number): Promise<OwnAddress[]> {
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
  hits: OwnAddress[],
  { yes, warn }: { yes: boolean; warn: (sentence: string) => void },
): Promise<boolean> {
  for (const { address, who } of hits) warn(`The proxy would not let ${address} in any more: it is ${who}.`);
  return hits.length === 0 || yes || confirm('Go on all the same?', '--yes');
}
