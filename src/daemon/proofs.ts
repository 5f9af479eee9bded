import { BlockList, isIPv6 } from 'node:net';
import type { Proof } from '../lib/control/schema.ts';
import { type HandshakeVerdict, probeHandshake } from '../lib/probe/handshake.ts';
import type { ProbeEdges } from '../lib/probe/dc.ts';
import { isAccepted, mayConnect, type User } from '../lib/users/user.ts';
import type { Endpoint, EngineRevision, Mode } from './supervisor/engine.ts';

/** A secret that a change opens or closes the door to. */
export interface AccessChange {
  /** Of the user. */
  name: string;
  key: string;
  access: boolean;
  /** Those who are connected already may leave no room for a handshake of ours. */
  maybeFull: boolean;
}

/** Which secrets are accepted now and were not before, and the reverse. A new key for a user is both. */
export function accessChanges(before: User[], after: User[], now: number): AccessChange[] {
  const allowed = (users: User[]): Map<string, User> =>
    new Map(
      users
        .filter((user) => mayConnect(user, now))
        .flatMap((user) => user.secrets.filter(isAccepted).map(({ key }) => [key, user])),
    );
  const [old, fresh] = [allowed(before), allowed(after)];
  const wereIn = new Set([...old.values()].map(({ id }) => id));
  const maybeFull = ({ id, limits }: User): boolean =>
    wereIn.has(id) && (limits.connections !== null || limits.networks !== null);
  const gained = [...fresh]
    .filter(([key]) => !old.has(key))
    .map(([key, user]) => ({ name: user.name, key, access: true, maybeFull: maybeFull(user) }));
  const lost = [...old]
    .filter(([key]) => !fresh.has(key))
    .map(([key, { name }]) => ({ name, key, access: false, maybeFull: false }));
  return [...gained, ...lost];
}

/** Handshakes that a reload takes time for. */
const TRIED_AT_MOST = 16;

/** The changes to try out: all that can be, or where they are many as many gained as lost, spread over the list. */
export function chooseTried(all: AccessChange[]): AccessChange[] {
  const changes = all.filter(({ maybeFull }) => !maybeFull);
  if (changes.length <= TRIED_AT_MOST) return changes;
  const [gained, lost] = [changes.filter(({ access }) => access), changes.filter(({ access }) => !access)];
  const half = TRIED_AT_MOST / 2;
  const ofLost = Math.min(lost.length, Math.max(half, TRIED_AT_MOST - gained.length));
  return [...spread(gained, TRIED_AT_MOST - ofLost), ...spread(lost, ofLost)];
}

/** `count` of a list, or all: the first, the last, and what lies evenly between. */
function spread<Item>(items: Item[], count: number): Item[] {
  if (items.length <= count) return items;
  const step = (items.length - 1) / Math.max(1, count - 1);
  return Array.from({ length: count }, (_, at) => items[Math.round(at * step)] as Item);
}

/** Shake hands with our own listener as every user whose access changed; the answer has to be the one wanted. */
export async function proveAccess(
  changes: AccessChange[],
  listening: Endpoint,
  settings: EngineRevision['settings'],
  edges: ProbeEdges,
): Promise<Proof[]> {
  const mode = provingMode(settings);
  const { domain } = settings.cover;
  const target = dialable(listening);
  const preface = expectsProxyHeader(settings, target.host) ? UNKNOWN_CLIENT : undefined;
  const proofs: Proof[] = [];
  for (const { name, key, access } of changes) {
    const credentials = { mode, key: Buffer.from(key, 'hex'), domain };
    const verdict = await probeHandshake(target, credentials, { ...edges, preface });
    proofs.push({ name, ...judge(verdict, mode, access) });
  }
  return proofs;
}

/** What shows that an engine works where nobody's access changes: somebody is let in, and a secret that nobody has is not. */
export function standingAccess(users: User[], { random, now }: Pick<ProbeEdges, 'random' | 'now'>): AccessChange[] {
  const made = Buffer.from(random(16)).toString('hex');
  const nobody = { name: 'a secret that nobody has', key: made, access: false, maybeFull: false };
  const [somebody] = users
    .filter((user) => mayConnect(user, now()) && !hasLimits(user))
    .flatMap(({ name, secrets }) =>
      secrets
        .filter(({ state }) => state === 'active')
        .map(({ key }) => ({ name, key, access: true, maybeFull: false })),
    );
  return somebody === undefined ? [nobody] : [somebody, nobody];
}

/** Whether those who are connected, or what was used, may leave no room for a handshake of ours. */
function hasLimits({ limits: { connections, networks, quota } }: User): boolean {
  return connections !== null || networks !== null || quota !== null;
}

/** The proofs that tell against a revision. Outside of ee a handshake that fails may be Telegram's fault, and tells nothing. */
export function refuting(proofs: Proof[], settings: EngineRevision['settings']): Proof[] {
  const conclusive = provingMode(settings) === 'ee';
  return proofs.filter(({ ok, detail }) => !ok && (conclusive || detail.startsWith(UNREACHABLE)));
}

/** In ee the answer itself is the proof, so it is preferred where it is on. */
function provingMode({ modes }: EngineRevision['settings']): Mode {
  return modes.includes('ee') ? 'ee' : (modes[0] ?? 'ee');
}

/** A PROXY protocol header that names no client (protocol.md §6). */
const UNKNOWN_CLIENT = Buffer.from('PROXY UNKNOWN\r\n');
const UNREACHABLE = 'our own port cannot be reached';

/** Whether a connection from `host` to itself has to begin with a PROXY header. */
function expectsProxyHeader({ proxyProtocolFrom }: EngineRevision['settings'], host: string): boolean {
  const list = new BlockList();
  for (const cidr of proxyProtocolFrom) {
    const [address = '', bits] = cidr.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

/** An address to reach a listener at that is bound to all of them. */
export function dialable({ host, port }: Endpoint): Endpoint {
  return { port, host: host === '::' ? '::1' : host === '0.0.0.0' ? '127.0.0.1' : host };
}

/** In ee the server proves that it knows the secret; in the other modes only an answer of Telegram shows it. */
export function judge(verdict: HandshakeVerdict, mode: Mode, access: boolean): { ok: boolean; detail: string } {
  const { layer, detail } = verdict;
  if (layer === 'tcp') return { ok: false, detail: `${UNREACHABLE}: ${detail}` };
  const accepted = layer === 'works' || (mode === 'ee' && layer === 'dc');
  if (!access && mode !== 'ee' && !accepted) return { ok: true, detail: 'Telegram does not answer with this secret' };
  if (!access) {
    return accepted
      ? { ok: false, detail: 'the secret is still accepted' }
      : { ok: true, detail: 'the secret is refused' };
  }
  if (layer === 'works') return { ok: true, detail: 'the secret is accepted and Telegram answers' };
  if (accepted) return { ok: true, detail: `the secret is accepted; Telegram gave no answer: ${detail}` };
  return { ok: false, detail: `the secret is not accepted: ${detail}` };
}
