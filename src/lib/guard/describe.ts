import { formatPrefix } from '../access/prefix.ts';
import { formatSpan, formatTime, plural } from '../ui/format.ts';
import type { Allowed, Ban, Suspicion } from './ban.ts';
import { describeCounts } from './decide.ts';

/** Bans as commands show them: times in ISO 8601. */
export interface BanView {
  network: string;
  verdict: Ban['verdict'];
  reason: string;
  rule: string;
  by: string;
  from: string;
  /** Null is until it is lifted. */
  until: string | null;
  endedAt: string | null;
  evidence: (Omit<NonNullable<Ban['evidence']>, 'at'> & { at: string }) | null;
}

export function viewBan({ prefix, verdict, reason, rule, actor, from, until, ended, evidence }: Ban): BanView {
  return {
    network: formatPrefix(prefix),
    verdict,
    reason,
    rule,
    by: actor,
    from: iso(from),
    until: isoOrNull(until),
    endedAt: isoOrNull(ended),
    evidence: evidence && { ...evidence, at: iso(evidence.at) },
  };
}

export const BAN_HEADERS = ['NETWORK', 'ACTION', 'LEFT', 'BY', 'REASON'];

export function banRow({ prefix, verdict, until, actor, reason }: Ban, now: number): string[] {
  return [formatPrefix(prefix), verdict, until === null ? 'for good' : formatSpan(until - now), actor, reason];
}

export interface AllowedView {
  network: string;
  reason: string;
  by: string;
  since: string;
  until: string | null;
}

export function viewAllowed({ prefix, reason, actor, createdAt, until }: Allowed): AllowedView {
  return {
    network: formatPrefix(prefix),
    reason,
    by: actor,
    since: iso(createdAt),
    until: isoOrNull(until),
  };
}

export const ALLOWED_HEADERS = ['NETWORK', 'LEFT', 'BY', 'REASON'];

export function allowedRow({ prefix, until, actor, reason }: Allowed, now: number): string[] {
  return [formatPrefix(prefix), until === null ? 'for good' : formatSpan(until - now), actor, reason];
}

/** A line for what was seen in an hour. */
export function describeSuspicion({ at, score, counts, good }: Suspicion): string {
  const known = good ? '; somebody there had proved to know a secret' : '';
  return `${formatTime(at)}: ${points(score)} for ${describeCounts(counts)}${known}`;
}

export function points(score: number): string {
  return plural(Math.round(score * 10) / 10, 'point');
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
