import { letsIn, type Mode } from './level.ts';
import { contains, parsePrefix, type Prefix } from './prefix.ts';
import { isCovered, packRanges } from './range-table.ts';
import type { Access, AccessRule } from './rule.ts';
import type { Ruling } from './ruling.ts';
import { isOpen, nextTurn } from './window.ts';

/** The machine itself, which is always let in: the daemon proves by handshakes from there that the proxy works. */
const LOOP = ['127.0.0.0/8', '::1'].map((network) => ruling(parsePrefix(network) as Prefix, true, null));

/** Whether an address, as `addressWords` returns it, is of the machine's own loop. */
export function isLoop(words: readonly number[]): boolean {
  return LOOP.some(({ prefix }) => contains(prefix, words));
}

/** What holds at one time. In each list the most specific network holds, and of the same network the one that comes last. */
export interface RulingsAt {
  rulings: Ruling[];
  /** What rules in mode `observe` say among themselves: to be counted, and not done. */
  observed: Ruling[];
  /** Unix time in ms at which it is next something else; null where nothing is to come. */
  nextChange: number | null;
}

/**
 * What the operator's rules, feeds and countries say at a Unix time in ms. Rules and feeds go by the most specific network, of
 * the same network a rule goes before a feed; both go before what is said of countries, whose networks are as wide or narrow
 * as they happen to be.
 */
export function rulingsAt(access: Access, now: number): RulingsAt {
  const states = access.rules.map((rule) => ({ rule, ...stateOf(rule, now) }));
  const turns = states.flatMap(({ turnsAt }) => (turnsAt === null ? [] : [turnsAt]));
  const of = (mode: Mode): Ruling[] => {
    const own = [
      ...access.feeds
        .filter(({ feed }) => feed.mode === mode)
        .flatMap(({ feed, prefixes }) => prefixes.map((prefix) => ruling(prefix, letsIn(feed.level), null))),
      ...states
        .filter(({ rule, active }) => active && rule.mode === mode)
        .map(({ rule, turnsAt }) => ruling(rule.prefix, letsIn(rule.level), turnsAt)),
    ];
    const { countries } = access;
    const all = countries?.policy.mode === mode ? [...beneath(countries.rulings, own), ...own] : own;
    return all.length === 0 ? all : [...beneath(all, LOOP), ...LOOP];
  };
  return {
    rulings: of('enforce'),
    observed: of('observe'),
    nextChange: turns.length === 0 ? null : turns.reduce((first, at) => Math.min(first, at)),
  };
}

/** Whether a rule counts at a Unix time in ms, and when that is next something else; null for never. */
export function stateOf(
  { windows, zone, until }: Pick<AccessRule, 'windows' | 'zone' | 'until'>,
  now: number,
): { active: boolean; turnsAt: number | null } {
  if (until !== null && now >= until) return { active: false, turnsAt: null };
  if (windows.length === 0) return { active: true, turnsAt: until };
  const turn = nextTurn(windows, zone, now);
  const active = isOpen(windows, zone, now);
  // A window that would open behind the end never does.
  const behind = turn === null || (until !== null && turn >= until);
  return { active, turnsAt: behind ? (active ? until : null) : turn };
}

function ruling(prefix: Prefix, lets: boolean, turnsAt: number | null): Ruling {
  return { prefix, verdict: lets ? null : 'mask', until: turnsAt === null ? null : Math.ceil(turnsAt / 1000) };
}

/** Rulings without those of networks that `own` ones speak of as a whole. */
function beneath(rulings: Ruling[], own: Ruling[]): Ruling[] {
  if (own.length === 0) return rulings;
  const spoken = packRanges(own.map(({ prefix }) => ({ prefix, value: 1 })));
  return rulings.filter(({ prefix }) => !isCovered(spoken, prefix));
}
