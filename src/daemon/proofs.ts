import { BlockList, isIPv6 } from 'node:net';
import type { Proof } from '../lib/control/schema.ts';
import { type HandshakeVerdict, probeHandshake } from '../lib/probe/handshake.ts';
import type { ProbeEdges } from '../lib/probe/dc.ts';
import { isAccepted, mayConnect, type SecretState, type User } from '../lib/users/user.ts';
import type { Endpoint, Engine, EngineRevision, HandshakeResult, Mode } from './supervisor/engine.ts';

/** A secret that a change opens or closes the door to. */
export interface AccessChange {
  /** Whose it is, in words. */
  name: string;
  key: string;
  access: boolean;
}

/** Which secrets are accepted now and were not before, the reverse, and those that came into another state of their life. */
export function accessChanges(before: User[], after: User[], now: number): AccessChange[] {
  const [was, is] = [new Set(before), new Set(after)];
  // Nothing changes for those who are the same object.
  const old = accessOf(
    before.filter((user) => !is.has(user)),
    now,
  );
  const fresh = accessOf(
    after.filter((user) => !was.has(user)),
    now,
  );
  const changed = [...fresh].filter(([key, { state, access }]) => {
    const past = old.get(key);
    return past === undefined ? access : past.access !== access || past.state !== state;
  });
  const lost = [...old].filter(([key, { access }]) => access && !fresh.has(key));
  return [
    ...changed.map(([key, { name, access }]) => ({ name, key, access })),
    ...lost.map(([key, { name }]) => ({ name, key, access: false })),
  ].sort((one, other) => Number(other.access) - Number(one.access));
}

interface SecretAccess {
  name: string;
  state: SecretState;
  access: boolean;
}

/** What may be done with every secret, by key. */
function accessOf(users: User[], now: number): Map<string, SecretAccess> {
  return new Map(
    users.flatMap((user) =>
      user.secrets.map((secret): [string, SecretAccess] => {
        const { key, state } = secret;
        const name = state === 'active' ? user.name : `${user.name} (old secret)`;
        const access = mayConnect(user, now) && isAccepted(secret) && secret.retireLimitNetworks !== 0;
        return [key, { name, state, access }];
      }),
    ),
  );
}

/** Handshakes that a reload takes time for. */
const TRIED_AT_MOST = 16;

/** The changes to try out: all, or where they are many as many gained as lost, spread over the list. */
export function chooseTried(changes: AccessChange[]): AccessChange[] {
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

/** An engine to shake hands with. */
export interface Prover {
  listening: Endpoint;
  settings: EngineRevision['settings'];
  /** Told of the handshakes, so that they are nobody's, and asked how they ended. */
  engine: Pick<Engine, 'claim' | 'fate'>;
}

/** Shake hands with a listener of ours for every change; the answer has to be the one wanted. */
export async function proveAccess(changes: AccessChange[], prover: Prover, edges: ProbeEdges): Promise<Proof[]> {
  const proofs: Proof[] = [];
  for (const change of changes) proofs.push({ name: change.name, ...(await prove(change, prover, edges)) });
  return proofs;
}

const FULL = 'the secret is recognised; a limit of the user leaves no room at this moment';
/** A good secret that was turned away all the same, because a limit of its user left no room. */
const FULL_FATES: readonly (HandshakeResult | null)[] = ['devices', 'networks', 'quota'];

async function prove(
  { key, access }: AccessChange,
  { listening, settings, engine }: Prover,
  edges: ProbeEdges,
): Promise<Omit<Proof, 'name'>> {
  const mode = provingMode(settings);
  const target = dialable(listening);
  const preface = expectsProxyHeader(settings, target.host) ? UNKNOWN_CLIENT : undefined;
  const credentials = { mode, key: Buffer.from(key, 'hex'), domain: settings.cover.domain };
  let from: Endpoint | undefined;
  const connected = async (local: Endpoint): Promise<void> => {
    from = local;
    await engine.claim(local);
  };
  const verdict = await probeHandshake(target, credentials, { ...edges, preface, connected });
  const fate = from === undefined ? null : await engine.fate(from).catch(() => null);
  const judged = judge(verdict, mode, access);
  return !judged.ok && access && FULL_FATES.includes(fate) ? { ok: true, detail: FULL } : judged;
}

/** What shows that an engine works where nobody's access changes: somebody is let in, and a secret that nobody has is not. */
export function standingAccess(users: User[], { random, now }: Pick<ProbeEdges, 'random' | 'now'>): AccessChange[] {
  const nobody = { name: 'a secret that nobody has', key: Buffer.from(random(16)).toString('hex'), access: false };
  const somebody = [...accessOf(users, now())].find(([, { state, access }]) => access && state === 'active');
  return somebody === undefined ? [nobody] : [{ name: somebody[1].name, key: somebody[0], access: true }, nobody];
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
