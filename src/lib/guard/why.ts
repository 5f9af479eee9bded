import { formatPrefix, type Prefix } from '../access/prefix.ts';
import type { Verdict } from '../access/ruling.ts';
import type { Outlook } from '../control/schema.ts';
import { formatSpan, formatTime, plural } from '../ui/format.ts';
import { banMs, standing } from './ban-time.ts';
import { countsAgainst } from './ban.ts';
import { type BanPolicy, step } from './decide.ts';
import { describeSuspicion, points } from './describe.ts';
import { inWords } from './effect.ts';
import type { Account } from './operate.ts';

/** What is done with a network, why, and what comes next: for `ban why`. */
export interface Why {
  /** What would be banned by itself: an IPv4 address, or the /64 of an IPv6 address. */
  network: string;
  /** As the ledger has it. */
  verdict: 'allowed' | 'mask' | 'limit' | 'drop' | null;
  /** Bans of the daemon's own that still count. */
  standing: number;
  /** What the next ban by itself would be; null where nobody is banned by itself. */
  next: { verdict: 'mask' | 'limit' | 'drop'; seconds: number } | null;
}

export function explain(
  network: Prefix,
  { ban, allowed, history, access }: Account & { access: Verdict | null },
  policy: BanPolicy,
  now: number,
): Why {
  const count = standing(history.filter(countsAgainst), now);
  const { ceiling } = policy;
  return {
    network: formatPrefix(network),
    verdict: allowed !== null ? 'allowed' : (ban?.verdict ?? access),
    standing: count,
    next: ceiling === 'observe' ? null : { verdict: step(count, ceiling), seconds: banMs(count, policy, 0) / 1000 },
  };
}

/** The same in lines, for a person. */
export function whyLines(
  address: string,
  why: Why,
  account: Account & { access: Verdict | null },
  policy: BanPolicy,
  now: number,
): string[] {
  const { ban, allowed, history, suspicions, access } = account;
  const lines = [`${address} ${inWords(why.verdict)}.`];
  if (allowed !== null) {
    lines.push(`Allowed: ${formatPrefix(allowed.prefix)} by ${allowed.actor}${because(allowed.reason)}.`);
  }
  if (ban !== null) {
    const left = ban.until === null ? 'until it is lifted' : `for ${formatSpan(ban.until - now)} more`;
    lines.push(`Banned: ${formatPrefix(ban.prefix)} by ${ban.actor} on ${formatTime(ban.from)}, ${left}.`);
    lines.push(`Rule: ${ban.rule}${because(ban.reason)}.`);
    if (ban.evidence !== null) {
      const { score, threshold, earlier } = ban.evidence;
      lines.push(`Evidence: ${points(score)} of ${threshold}, with ${plural(earlier, 'earlier ban')} that counted.`);
    }
  }
  const ended = history.filter((one) => one.from !== ban?.from);
  if (ended.length > 0) lines.push(`Earlier: ${plural(ended.length, 'ban')}, ${why.standing} of all still count.`);
  for (const suspicion of suspicions.slice(0, SHOWN)) lines.push(`Seen: ${describeSuspicion(suspicion)}.`);
  if (access !== null)
    lines.push(`Rule: it is kept out by an access rule, a feed or a country: mtp access check ${address}`);
  if (ban === null && suspicions.length === 0 && allowed === null && access === null)
    lines.push('Nothing bad is known of it.');
  lines.push(
    why.next === null
      ? `Next: guard.ceiling is observe, so nobody is banned by itself.`
      : `Next: at ${policy.threshold} points ${why.network} ${inWords(why.next.verdict)} for ${formatSpan(why.next.seconds * 1000)}.`,
  );
  return lines;
}

/** What the running engine says of it; null where none runs. */
export function engineLine(outlook: Outlook | null): string {
  if (outlook === null) return 'Engine: no proxy is running here.';
  const { verdict, mayOpen } = outlook;
  const rate = mayOpen === null ? '' : `, and may open ${plural(mayOpen, 'connection')} now`;
  return `Engine: the running one says that it ${inWords(verdict)}${rate}.`;
}

const SHOWN = 5;

function because(reason: string): string {
  return reason === '' ? '' : ` (${reason})`;
}
