import type { HookOutcome } from '../hooks/hooks.ts';
import { formatSpan, formatTime, plural } from '../ui/format.ts';
import type { UserRecord } from '../users/user.ts';
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
export function describeRotation({ rotated, effect, hook, grace }: RotationReport): string[] {
  const [first] = rotated;
  if (first === undefined) return ['Nobody had a secret to replace any more.'];
  const names = nameSome(rotated);
  const open = rotated.flatMap(({ before }) => before).filter(({ state }) => state === 'retiring');
  const until = open.length === 0 ? null : Math.max(...open.map(({ retiringUntil }) => retiringUntil ?? 0));
  const one = rotated.length === 1 && (grace === null || open.length === 1);
  const old =
    first.before.length === 0
      ? ''
      : grace === null || until === null
        ? ` Nobody is let in with ${one ? 'the old one' : 'the old ones'} any more.`
        : ` The old ${one ? 'one' : 'ones'} can be used until ${formatTime(until)}${one ? '' : ' at most'}.`;
  const lines = [`${names} ${rotated.length === 1 ? 'has a new secret' : 'have new secrets'}.${old}`, effect.sentence];
  const cut = effect.connections;
  if (cut !== null) lines.push(describeConnections(cut));
  if (rotated.length === 1) lines.push(`New link: ${first.link.tg}`);
  lines.push(...describeHook(hook));
  if (grace !== null && until !== null) lines.push('See who still uses the old one with: mtp secret rotations');
  return lines;
}

/** What happened to connections meanwhile. */
export function describeConnections({ before, after, cut }: { before: number; after: number; cut: number }): string {
  const kept = `${plural(before, 'connection')} before, ${after} after`;
  return cut === 0
    ? `${kept}; none was cut.`
    : `${kept}; ${cut} of who may not go on ${cut === 1 ? 'was' : 'were'} cut.`;
}

export function describeHook(hook: HookOutcome): string[] {
  if (hook.state === 'none') return [];
  if (hook.state === 'ran') return [`The hook on-rotate was told, and ended well after ${hook.ms} ms.`];
  return [`The hook on-rotate failed: ${hook.reason}.`];
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
