import { formatSpan, formatTime, plural } from '../ui/format.ts';
import type { Effect } from '../users/take-effect.ts';
import type { SecretView } from '../users/describe.ts';
import type { UserRecord } from '../users/user.ts';
import type { Announcement } from './announce.ts';
import type { ClosePlan } from './close-plan.ts';
import type { Due } from './outbox.ts';
import { nameSome, type RotationReport } from './perform.ts';
import type { How } from './rotate.ts';
import type { Rotation } from './rotations.ts';

/** What a rotation would do, as a sentence. */
export function describePlan(users: Pick<UserRecord, 'name'>[], how: How): string {
  if (users.length === 0) return 'Nobody has a secret that is to be replaced.';
  const whose =
    users.length === 1
      ? `the secret of ${nameSome(users)}`
      : `the secrets of ${plural(users.length, 'user')}: ${nameSome(users)}`;
  if (how === 'emergency')
    return `This replaces ${whose}, refuses the old one at once and cuts who is connected with it.`;
  const limit = how.limitNetworks === null ? '' : `, from ${plural(how.limitNetworks, 'network')} at once`;
  return `This replaces ${whose}; the old one is accepted for ${formatSpan(how.graceMs)} more${limit}.`;
}

/** What a rotation did, line by line. */
export function describeRotation(report: RotationReport): string[] {
  const { rotated, effect, hook } = report;
  const [first] = rotated;
  if (first === undefined) return ['Nobody had a secret to replace any more.'];
  const lines = [...outcome(report), effect.sentence];
  if (effect.connections !== null) lines.push(describeConnections(effect.connections));
  if (rotated.length === 1) lines.push(`New link: ${first.link.tg}`);
  lines.push(...describeHook(hook, effect.running));
  const isOpen = rotated.some(({ before, keptOut }) => keptOut === null && before.some(isRetiring));
  if (isOpen) lines.push('See who still uses the old one with: mtp secret rotations');
  return lines;
}

/** Who has a new secret, what becomes of the old one, and who gets in with neither. */
function outcome({ rotated, grace }: RotationReport): string[] {
  const has = `${nameSome(rotated)} ${rotated.length === 1 ? 'has a new secret' : 'have new secrets'}`;
  const out = rotated.flatMap(({ keptOut }) => keptOut ?? []);
  const [reason] = out;
  if (reason !== undefined && rotated.length === 1) {
    return [`${has}, but nobody gets in with it or an old one: ${reason.why}.`, `Change that with: ${reason.remedy}`];
  }
  const whys = out.slice(0, 5).map(({ why }) => why);
  const rest = out.length > whys.length ? ` and ${out.length - whys.length} more` : '';
  return [
    `${has}.${describeOld(rotated, grace)}`,
    ...(out.length === 0 ? [] : [`Not everybody gets in, with neither: ${whys.join(', ')}${rest}.`]),
  ];
}

function isRetiring({ state }: SecretView): boolean {
  return state === 'retiring';
}

function describeOld(rotated: RotationReport['rotated'], grace: RotationReport['grace']): string {
  const before = rotated.flatMap((one) => one.before);
  if (before.length === 0) return '';
  const open = before.filter(isRetiring);
  const one = before.length === 1;
  if (grace === null || open.length === 0) {
    return ` Nobody is let in with ${one ? 'the old one' : 'the old ones'} any more.`;
  }
  const until = Math.max(...open.map(({ retiringUntil }) => Date.parse(retiringUntil ?? '')));
  return ` The old ${one ? 'one' : 'ones'} can be used until ${formatTime(until)}${one ? '' : ' at most'}.`;
}

/** What happened to connections meanwhile. */
function describeConnections({ before, after, cut }: { before: number; after: number; cut: number }): string {
  const kept = `${plural(before, 'connection')} before, ${after} after`;
  return cut === 0
    ? `${kept}; none was cut.`
    : `${kept}; ${cut} of who may not go on ${cut === 1 ? 'was' : 'were'} cut.`;
}

/** What a closing did, a line each. */
export function describeClosed({ closing: { name, reason }, secrets, shutsOut }: ClosePlan, effect: Effect): string[] {
  const why = reason === undefined ? '' : ` (${reason})`;
  return [
    `Closed ${plural(secrets.length, 'secret')} of ${name}${why}. ${effect.sentence}`,
    ...(shutsOut ? [`${name} has no open secret now. Give one with: mtp secret add ${name}`] : []),
    ...(effect.connections === null ? [] : [describeConnections(effect.connections)]),
  ];
}

/** What came of telling the hook; `running` is whether there is a proxy that tries again. */
export function describeHook(hook: Announcement, running: boolean): string[] {
  switch (hook.state) {
    case 'none':
      return [];
    case 'ran':
      return [`The hook on-rotate was told, and ended well after ${hook.ms} ms.`];
    case 'outdated':
      return ['The hook on-rotate was not told: the new secret is closed already.'];
    case 'waiting':
      return [`The hook on-rotate is told later, as an earlier rotation comes first: ${hook.reason}.`, again(running)];
    case 'failed':
      return [`The hook on-rotate failed: ${hook.reason}.`, again(running && hook.nextAt !== null)];
  }
}

function again(byItself: boolean): string {
  return byItself
    ? 'The running proxy tells it again, ever more rarely; at once: mtp secret announce'
    : 'Nobody tells it again until the proxy runs; at once: mtp secret announce';
}

/** A rotation that the hook has yet to be told of, as commands show it. Times in ISO 8601. */
export interface DueView {
  reason: Due['reason'];
  rotatedAt: string;
  secrets: Due['secrets'];
  tries: number;
  /** Null where no more is tried. */
  nextAt: string | null;
  failure: string | null;
}

export function viewDue({ reason, rotatedAt, secrets, tries, nextAt, failure }: Due): DueView {
  const iso = (ms: number): string => new Date(ms).toISOString();
  return { reason, rotatedAt: iso(rotatedAt), secrets, tries, nextAt: nextAt === null ? null : iso(nextAt), failure };
}

/** What the hook has yet to be told of, a line each. */
export function describeDue(all: readonly Due[], { now, running }: { now: number; running: boolean }): string[] {
  return all.map((due) => {
    const { failure, tries, nextAt, secrets } = due;
    const whose = `The hook on-rotate has not been told of ${plural(secrets.length, 'new secret')} (${nameSome(secrets)})`;
    const why = failure === null ? '' : `: ${failure}, ${plural(tries, 'try', 'tries')}`;
    if (nextAt === null) return `${whose}${why}, given up. Try again with: mtp secret announce`;
    if (!running) return `${whose}${why}. No proxy runs that would tell it; do it with: mtp secret announce`;
    return `${whose}${why}; next try in ${formatSpan(nextAt - now)}.`;
  });
}

export const ROTATION_HEADERS = ['NAME', 'STATE', 'ENDS', 'NETWORKS', 'SEEN', 'TRIED', 'SAFE TO CLOSE'];

/** A replaced secret as a row of a list, under `ROTATION_HEADERS`. */
export function rotationRow(rotation: Rotation, now: number): string[] {
  const { name, state, until, networks, lastSeenAt, safe, why, tries } = rotation;
  return [
    name,
    state,
    until === null ? '-' : `in ${formatSpan(Date.parse(until) - now)}`,
    networks === null ? '?' : String(networks),
    lastSeenAt === null ? 'never' : `${formatSpan(now - Date.parse(lastSeenAt))} ago`,
    tries === 0 ? '-' : `${tries}x`,
    state === 'revoked' ? why : `${safe ? 'yes' : 'no'}: ${why}`,
  ];
}
