import { letsIn, type Level, type Mode } from './level.ts';
import { contains, type Prefix } from './prefix.ts';
import { isLoop, stateOf } from './rulings.ts';
import type { Access, AccessRule } from './rule.ts';

/** Something that speaks of an address. */
export interface Speaker {
  kind: 'rule' | 'feed' | 'countries';
  /** The id of a rule, the name of a feed; of countries there is one. */
  name: string;
  prefix: Prefix;
  /** Null of countries. */
  level: Level | null;
  mode: Mode;
  lets: boolean;
  /** Whether it speaks at this time, and Unix ms at which that is next something else. */
  active: boolean;
  turnsAt: number | null;
  reason: string;
  rule: AccessRule | null;
}

export interface Outcome {
  lets: boolean;
  /** Whose word holds; null where nobody speaks, which lets in. */
  by: Speaker | null;
  /** Everybody who speaks or would at another time, the one whose word goes before the others' first. */
  speakers: Speaker[];
}

/** What becomes of an address, as `addressWords` returns it, at a Unix time in ms, and why: what `rulingsAt` comes to, in words. */
export function explain(access: Access, words: readonly number[], now: number): Outcome {
  if (isLoop(words)) return { lets: true, by: null, speakers: [] };
  const speakers = [...rulesOf(access, words, now), ...feedsOf(access, words)]
    .sort((a, b) => b.prefix.bits - a.prefix.bits)
    .concat(countriesOf(access, words));
  const by = speakers.find(({ active, mode }) => active && mode === 'enforce') ?? null;
  return { lets: by?.lets ?? true, by, speakers };
}

/** Those that were written last first: they go before others of the same network. */
function rulesOf({ rules }: Access, words: readonly number[], now: number): Speaker[] {
  return rules
    .filter(({ prefix }) => contains(prefix, words))
    .map((rule) => {
      const { prefix, level, mode, reason } = rule;
      const own = { kind: 'rule' as const, name: String(rule.id), prefix, level, mode, reason, rule };
      return { ...own, lets: letsIn(level), ...stateOf(rule, now) };
    })
    .reverse();
}

function feedsOf({ feeds }: Access, words: readonly number[]): Speaker[] {
  return feeds
    .flatMap(({ feed, prefixes }) => {
      const prefix = prefixes.find((one) => contains(one, words));
      if (prefix === undefined) return [];
      const { name, level, mode } = feed;
      const own = { kind: 'feed' as const, name, prefix, level, mode, reason: '', rule: null };
      return [{ ...own, lets: letsIn(level), active: true, turnsAt: null }];
    })
    .reverse();
}

function countriesOf({ countries }: Access, words: readonly number[]): Speaker[] {
  if (countries === null) return [];
  let found = null;
  for (const ruling of countries.rulings) {
    if (contains(ruling.prefix, words) && (found === null || ruling.prefix.bits >= found.prefix.bits)) found = ruling;
  }
  if (found === null) return [];
  const { prefix, verdict } = found;
  const own = { kind: 'countries' as const, name: 'countries', prefix, level: null, reason: '', rule: null };
  return [{ ...own, mode: countries.policy.mode, lets: verdict === null, active: true, turnsAt: null }];
}
