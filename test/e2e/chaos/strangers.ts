import { randomBytes } from 'node:crypto';
import { authenticate, collectHello, readHello } from '../../../src/lib/protocol/client-hello.ts';
import { type ProxyHeader, readProxyHeader, writeProxyHeader } from '../../../src/lib/protocol/proxy-protocol.ts';
import { HELLOS } from '../../fuzz/corpus.ts';
import { mutateHello } from '../../fuzz/hellos.ts';
import { mutator } from '../../fuzz/mutate.ts';
import type { Random } from '../../fuzz/random.ts';
import { makeHello, type Target } from '../../support/raw-client.ts';
import { type Outcome, perform, type Script, scriptFor } from './script.ts';

/** Tries until a difference counts as one: a busy machine can make a pause long enough for the cover to speak first. */
const TRIES = 3;

type Kind = 'mutated' | 'recorded' | 'noise' | 'http' | 'half' | 'stale' | 'silent';
const KINDS: readonly Kind[] = ['mutated', 'mutated', 'recorded', 'noise', 'http', 'half', 'stale', 'silent'];

function bytesOf(kind: Kind, key: Buffer, random: Random): Buffer {
  switch (kind) {
    case 'mutated': {
      const hello = makeHello({ key, postQuantum: random.oneIn(2) });
      return mutateHello(hello, random, [hello, ...HELLOS]);
    }
    case 'recorded': {
      const hello = Buffer.concat([random.pick(HELLOS), random.bytes(random.below(20))]);
      // Two of the same at once, from an address of this machine, are taken for a loop.
      hello.set(random.bytes(32), 11);
      return hello;
    }
    case 'noise':
      return random.bytes(1 + random.below(30_000));
    case 'http':
      return Buffer.concat([Buffer.from('GET / HTTP/1.1\r\n\r\n'), random.bytes(8)]);
    case 'half': {
      const hello = makeHello({ key });
      return hello.subarray(0, random.below(hello.length));
    }
    case 'stale':
      return makeHello({ key, skew: -100_000 });
    case 'silent':
      return Buffer.alloc(0);
  }
}

/** Whether a client sends this, so that the cover is not asked. */
function isClient(bytes: Buffer, key: Buffer): boolean {
  const collected = collectHello(bytes);
  const hello = collected.state === 'complete' ? readHello(collected.record) : null;
  return hello !== null && authenticate(hello, key) !== null;
}

export interface Difference {
  kind: string;
  direct: string;
  proxied: string;
}

const show = ({ received, end }: Outcome): string =>
  `${received.length} bytes ${received.toString('latin1', 0, 80)}, then ${end ?? 'nothing'}`;

interface Attempt {
  kind: string;
  /** What is done at the proxy, and what is the same thing at the cover; null for a case that is none. */
  scripts: { proxied: Script; direct: Script } | null;
}

/**
 * Do the same at the proxy and at the cover itself, and say how the two differ. A difference that the same script does not
 * show again was one of timing.
 */
async function compare(proxy: Target, cover: Target, { kind, scripts }: Attempt): Promise<Difference | null> {
  if (scripts === null) return null;
  for (let tries = 1; ; tries++) {
    const [direct, proxied] = await Promise.all([perform(cover, scripts.direct), perform(proxy, scripts.proxied)]);
    // A close with bytes unread is a reset: with a broken PROXY header it is chance which of the two the balancer sees.
    const alike = direct.end === proxied.end || (kind === 'invalid' && proxied.end !== null);
    if (alike && direct.received.equals(proxied.received)) return null;
    if (tries === TRIES) return { kind, direct: show(direct), proxied: show(proxied) };
  }
}

export async function compareStranger(
  proxy: Target,
  cover: Target,
  key: Buffer,
  random: Random,
): Promise<Difference | null> {
  const kind = random.pick(KINDS);
  const bytes = bytesOf(kind, key, random);
  const script = scriptFor(bytes, random);
  const client = kind !== 'stale' && isClient(bytes, key);
  return compare(proxy, cover, { kind, scripts: client ? null : { direct: script, proxied: script } });
}

const FROM = { host: '192.0.2.1', port: 1 };
const TO = { host: '192.0.2.2', port: 2 };
const mutateHeader = mutator();

/** Behind a PROXY header, whole or broken: what follows a whole one is the cover's, and nothing answers a broken one. */
export async function compareBehindBalancer(
  proxy: Target,
  cover: Target,
  random: Random,
  seen: (state: ProxyHeader['state']) => void,
): Promise<Difference | null> {
  const header = writeProxyHeader(random.pick(['v1', 'v2']), FROM, TO);
  const broken = mutateHeader(header, random, [Buffer.from('PROXY ')]);
  const bytes = Buffer.concat([broken, Buffer.from('GET / HTTP/1.1\r\n\r\n'), random.bytes(8)]);
  const read = readProxyHeader(bytes);
  seen(read.state);
  const rest = read.state === 'complete' ? bytes.subarray(read.consumed) : Buffer.alloc(0);
  const proxied: Script = { ...scriptFor(bytes, random), end: 'fin' };
  // The cover closes without a word when it is told nothing, which is how a broken header ends too.
  const direct: Script = { pieces: [{ bytes: rest, pauseMs: 0 }], end: 'fin', stallMs: proxied.stallMs };
  return compare(proxy, cover, { kind: read.state, scripts: { direct, proxied } });
}

/** A hello that is good, and then anything but a client's stream. */
export async function enterAndMisbehave(proxy: Target, key: Buffer, random: Random): Promise<void> {
  const hello = makeHello({ key });
  const noise = random.oneIn(2) ? randomBytes(random.below(5000)) : Buffer.from('170303ffff', 'hex');
  await perform(proxy, { ...scriptFor(Buffer.concat([hello, noise]), random), end: 'fin' });
}
