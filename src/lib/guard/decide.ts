import { contains, cut, formatPrefix, type Prefix } from '../access/prefix.ts';
import { type Verdict, VERDICTS } from '../access/ruling.ts';
import type { Settings } from '../config/schema.ts';
import { type Ban, countsAgainst, type Suspicion } from './ban.ts';
import { banMs, standing } from './ban-time.ts';
import { patternOf, SIGNALS } from './signals.ts';

/** Whether a network is to be banned, how hard and for how long (operations.md §3.1). */

export interface BanPolicy {
  /** The hardest that is done by itself. */
  ceiling: 'observe' | Verdict;
  /** Points at which a network is banned. */
  threshold: number;
  baseMs: number;
  mostMs: number;
}

export function policyOf({ ceiling, threshold, ban_time: baseMs, max_ban_time: mostMs }: Settings['guard']): BanPolicy {
  return { ceiling, threshold, baseMs, mostMs };
}

/** What visitors of the web site look like too: they have to go on seeing it. */
const VISITS = new Set(['enumeration', 'probe']);

/** Bans by the daemon itself. */
const BY_ITSELF = 'mtp';

/** `history` has the earlier bans of the network; null where it is not to be banned. `random` is a number in [0, 1). */
export function decideBan(
  { prefix, at, score, counts, good }: Suspicion,
  history: readonly Ban[],
  policy: BanPolicy,
  random: number,
): Ban | null {
  const { ceiling, threshold } = policy;
  if (score < threshold || ceiling === 'observe') return null;
  const earlier = standing(history.filter(countsAgainst), at);
  const rule = patternOf(counts);
  return {
    prefix,
    verdict: step(earlier, VISITS.has(rule) ? 'mask' : ceiling),
    reason: `${rule}: ${describeCounts(counts)}`,
    rule,
    evidence: { at, score, threshold, counts, good, earlier },
    actor: BY_ITSELF,
    from: at,
    until: at + banMs(earlier, policy, random),
    ended: null,
  };
}

/** The next step of the ladder for somebody with so many bans that still count. */
export function step(earlier: number, ceiling: Verdict): Verdict {
  return VERDICTS[Math.min(earlier, VERDICTS.indexOf(ceiling))] as Verdict;
}

/** Such as `7 wrong keys, 2 replays`. */
export function describeCounts(counts: Suspicion['counts']): string {
  const named = SIGNALS.filter((signal) => counts[signal] > 0).map((signal) => `${counts[signal]} ${NAMES[signal]}`);
  return named.join(', ');
}

const NAMES: Record<(typeof SIGNALS)[number], string> = {
  replay: 'replayed',
  mac: 'with a wrong key',
  garbage: 'of another protocol',
  silent: 'silent',
  timeout: 'unfinished',
  flood: 'too many',
};

/** So many banned networks of one size within a day make the next larger one. */
const PROMOTIONS = [
  { from: 64, to: 56, least: 3 },
  { from: 56, to: 48, least: 4 },
];
export const PROMOTION_MS = 86_400_000;

/**
 * Larger IPv6 networks that are to be banned too, since whoever has one /64 can have its neighbours. `recent` are bans of the
 * last day, the newest included. Each ban is as hard and as long as the newest.
 */
export function promote(newest: Ban, recent: readonly Ban[]): Ban[] {
  const promoted: Ban[] = [];
  if (newest.prefix.family === 4) return promoted;
  let last = newest;
  for (const { from, to, least } of PROMOTIONS) {
    if (last.prefix.bits !== from) break;
    const wide = cut(last.prefix.words, to);
    const known = [...recent, ...promoted];
    const inside = known.filter(({ prefix }) => prefix.bits === from && contains(wide, prefix.words, prefix.bits));
    const networks = new Set(inside.map(({ prefix }) => formatPrefix(prefix)));
    if (networks.size < least) break;
    last = { ...last, prefix: wide, reason: `${networks.size} of its /${from} were banned within a day: ${last.rule}` };
    promoted.push(last);
  }
  return promoted;
}

/** Whether a ban that holds already covers this network. */
export function isCovered(prefix: Prefix, bans: readonly Ban[]): boolean {
  return bans.some((ban) => contains(ban.prefix, prefix.words, prefix.bits));
}
