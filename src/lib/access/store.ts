import { isDeepStrictEqual } from 'node:util';
import { EXIT, MtpError } from '../errors.ts';
import { changeGuard } from '../guard/store.ts';
import type { Ledger } from '../ledger/open.ts';
import type { UserFiles } from '../users/files.ts';
import { withUsers } from '../users/with-users.ts';
import { listAccess, selectRules } from './load.ts';
import { formatPrefix, type Prefix } from './prefix.ts';
import { toRuleRow, writeWindows } from './rows.ts';
import { type AccessRule, MOST_RULES } from './rule.ts';
import type { RuleWish } from './rule-wish.ts';

export interface PlannedRule {
  /** `change` gives a rule that is there another end or reason; with `same` there is nothing to do. */
  action: 'add' | 'change' | 'same';
  rule: Omit<AccessRule, 'id'>;
  /** Of the rule that is there. */
  id: number | null;
}

const DAY_MS = 86_400_000;
/** How long a rule that ended is still shown. */
const REMEMBERED_MS = 30 * DAY_MS;

/** What keeping rules would do. Too many are an error. */
export async function planRules(files: UserFiles, wishes: RuleWish[], now: number): Promise<PlannedRule[]> {
  return plan((await listAccess(files)).rules, wishes, now);
}

/** Keep rules, all or none, and read them back. One of the same network, level, mode and windows is changed, not doubled. */
export async function keepRules(
  files: UserFiles,
  wishes: RuleWish[],
  now: number,
): Promise<{ planned: PlannedRule[]; rules: AccessRule[] }> {
  return withUsers(files, async (ledger) => {
    const { planned, ids } = await changeGuard(ledger, async (change) => {
      await change
        .deleteFrom('access_rules')
        .where('until', '<', now - REMEMBERED_MS)
        .execute();
      const planned = plan(await selectRules(change), wishes, now);
      const ids: number[] = [];
      for (const one of planned) ids.push(await keep(change, one));
      return { planned, ids };
    });
    const kept = new Map((await selectRules(ledger)).map((rule) => [rule.id, rule]));
    const rules = ids.map((id, at) => {
      const rule = kept.get(id);
      if (rule !== undefined && isDeepStrictEqual(rule, { id, ...planned[at]?.rule })) return rule;
      throw notKept(files, id);
    });
    return { planned, rules };
  });
}

/** How many rules are new, changed, or as they were. */
export function countActions(planned: PlannedRule[]): Record<'added' | 'changed' | 'same', number> {
  const of = (wanted: PlannedRule['action']): number => planned.filter(({ action }) => action === wanted).length;
  return { added: of('add'), changed: of('change'), same: of('same') };
}

/** The rules that an id or a network names; none is an error that says so. */
export async function findRules(files: UserFiles, named: number | Prefix[]): Promise<AccessRule[]> {
  const { rules } = await listAccess(files);
  const networks = typeof named === 'number' ? null : new Set(named.map(formatPrefix));
  const found = rules.filter(({ id, prefix }) =>
    networks === null ? id === named : networks.has(formatPrefix(prefix)),
  );
  if (found.length > 0) return found;
  const what = networks === null ? `number ${named as number}` : `of ${[...networks].slice(0, 3).join(', ')}`;
  throw new MtpError('RULE_UNKNOWN', `there is no access rule ${what}`, {
    hint: 'Names of feeds and countries have commands of their own; "mtp access list" shows the rules.',
  });
}

/** Remove rules by their ids, and see that they are gone. Those that are gone already stay so. */
export async function removeRules(files: UserFiles, ids: number[]): Promise<void> {
  await withUsers(files, async (ledger) => {
    await changeGuard(ledger, async (change) => {
      for (const id of ids) await change.deleteFrom('access_rules').where('id', '=', id).execute();
    });
    const left = (await selectRules(ledger)).find(({ id }) => ids.includes(id));
    if (left !== undefined) throw notKept(files, left.id);
  });
}

function plan(rules: AccessRule[], wishes: RuleWish[], now: number): PlannedRule[] {
  const known = new Map(rules.map((rule) => [keyOf(rule), rule]));
  // Of two that are the same, the last counts.
  const distinct = [...new Map(wishes.map((wish) => [keyOf(wish), wish])).values()];
  const planned = distinct.map((wish): PlannedRule => {
    const there = known.get(keyOf(wish));
    if (there === undefined) return { action: 'add', rule: { ...wish, createdAt: now }, id: null };
    const { id, ...before } = there;
    const rule = { ...wish, createdAt: before.createdAt };
    return { action: isDeepStrictEqual(before, rule) ? 'same' : 'change', rule, id };
  });
  const all = rules.length + planned.filter(({ action }) => action === 'add').length;
  if (all > MOST_RULES) throw tooMany(all);
  return planned;
}

async function keep(ledger: Ledger, { action, rule, id }: PlannedRule): Promise<number> {
  if (action === 'same') return id as number;
  const row = toRuleRow(rule);
  if (id !== null) {
    await ledger.updateTable('access_rules').set(row).where('id', '=', id).execute();
    return id;
  }
  return (await ledger.insertInto('access_rules').values(row).returning('id').executeTakeFirstOrThrow()).id;
}

/** What tells two rules apart. */
function keyOf({ prefix, level, mode, windows, zone }: RuleWish): string {
  return JSON.stringify([formatPrefix(prefix), level, mode, windows.length === 0 ? '' : [writeWindows(windows), zone]]);
}

function tooMany(count: number): MtpError {
  const [most, all] = [MOST_RULES, count].map((one) => one.toLocaleString('en')) as [string, string];
  return new MtpError('RULES_FULL', `there may be ${most} access rules, and these would make it ${all}`, {
    exit: EXIT.precondition,
    hint: 'Keep long lists as feeds: mtp access feed add --help',
  });
}

function notKept({ ledgerFile }: UserFiles, id: number): MtpError {
  return new MtpError('LEDGER_NOT_KEPT', `${ledgerFile} does not show the change to rule ${id} that was just written`, {
    hint: 'Look whether another process changed the same rule, and run the command again.',
  });
}
