import { formatPrefix } from '../access/prefix.ts';
import { formatTime, plural } from '../ui/format.ts';
import { formatTable } from '../ui/table.ts';
import type { Suspicion } from './ban.ts';
import { describeCounts } from './decide.ts';
import { points } from './describe.ts';
import { patternOf, type SignalCounts } from './signals.ts';

export interface Hit {
  network: string;
  score: number;
  rule: string;
  counts: SignalCounts;
  lastAt: string;
}

export interface Simulated {
  since: string;
  threshold: number;
  /** Networks that were reported, whatever their score. */
  seen: number;
  /** Nobody there had proved to know a secret. */
  strangers: Hit[];
  /** Somebody had: a ban would have hit a user. */
  users: Hit[];
}

/** Whom a ban at so many points would have hit; of each network the hour with the most points counts. */
export function simulate(suspicions: readonly Suspicion[], threshold: number, since: number): Simulated {
  const byNetwork = Map.groupBy(suspicions, ({ prefix }) => formatPrefix(prefix));
  const worst = [...byNetwork].map(([network, hours]) => ({
    network,
    good: hours.some(({ good }) => good),
    worst: hours.reduce((most, hour) => (hour.score > most.score ? hour : most)),
  }));
  const hit = worst.filter((each) => each.worst.score >= threshold).sort((a, b) => b.worst.score - a.worst.score);
  const of = (users: boolean): Hit[] =>
    hit
      .filter(({ good }) => good === users)
      .map(({ network, worst: { score, counts, at } }) => ({
        network,
        score,
        rule: patternOf(counts),
        counts,
        lastAt: new Date(at).toISOString(),
      }));
  return {
    since: new Date(since).toISOString(),
    threshold,
    seen: byNetwork.size,
    strangers: of(false),
    users: of(true),
  };
}

export function simulatedLines({ since, threshold, seen, strangers, users }: Simulated): string[] {
  const after = `since ${formatTime(Date.parse(since))}`;
  if (seen === 0) return [`No network was reported ${after}.`];
  const head = `At ${points(threshold)}, ${strangers.length + users.length} of ${plural(seen, 'reported network')} ${after} would have been banned:`;
  const rows = (hits: Hit[], who: string): string[][] =>
    hits.map(({ network, score, rule, counts }) => [
      network,
      String(Math.round(score * 10) / 10),
      who,
      rule,
      describeCounts(counts),
    ]);
  const table = [...rows(users, 'has users'), ...rows(strangers, '-')];
  if (table.length === 0) return [head.replace(' would have been banned:', ' would have been banned.')];
  return [head, ...formatTable(['NETWORK', 'POINTS', 'USERS', 'RULE', 'SEEN'], table)];
}
