import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { EngineStats } from '../../src/daemon/supervisor/engine.ts';
import { Random } from '../fuzz/random.ts';
import { imbalances } from '../support/books.ts';
import { KEY, me, type RunningEngine, startEngine } from '../support/engine.ts';
import { connectEe } from '../support/raw-client.ts';
import { comeAndGo, type Tally, type World } from './clients.ts';
import { type Footprint, footprint } from './proc.ts';
import { engineUser } from '../support/engine-user.ts';

export type Sample = Footprint & { seconds: number; sessions: number; heldByCover: number };

export interface Soaked {
  samples: Sample[];
  /** Before the first client, and when the last one is gone. */
  base: Footprint;
  end: Footprint;
  stats: EngineStats;
  tally: Tally;
  /** Everything that is wrong, in words. */
  faults: string[];
}

export interface SoakOptions {
  seconds: number;
  /** Clients at once. */
  clients: number;
  sampleMs: number;
  seed: number;
  onSample?: (sample: Sample) => void;
}

const USER_MS = 3000;
const SETTLE_MS = 20_000;
/** Descriptors that may be open in passing: a timer, a pipe, a file that is read. */
const FD_SLACK = 2;

interface Upstreams {
  ports: { cover: number; steady: number; moody: number };
  open: () => Promise<number>;
  stop: () => Promise<void>;
}

async function startUpstreams(): Promise<Upstreams> {
  const child = fork(new URL('upstreams.ts', import.meta.url), []);
  const next = async (): Promise<unknown> => new Promise((resolve) => child.once('message', resolve));
  const ports = (await next()) as Upstreams['ports'];
  return {
    ports,
    open: async () => {
      const answer = next();
      child.send('open');
      return ((await answer) as { open: number }).open;
    },
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await ended;
    },
  };
}

async function startProxy({ cover, steady, moody }: Upstreams['ports']): Promise<RunningEngine> {
  const at = (port: number): { host: string; port: number }[] => [{ host: '127.0.0.1', port }];
  // Nothing listens on the discard port.
  const dcs = { 1: at(steady), 2: at(steady), 3: at(moody), 4: at(9) };
  return startEngine({
    cover: { host: '127.0.0.1', port: cover },
    settings: { workers: 2, telegram: { prefer: 'ipv4', dcs, fallbackDc: 2, connectMs: 1000 } },
    limits: { handshakeMs: 3000, idleMs: 30_000 },
    coverSettings: { idleMs: 5000 },
  });
}

/** A user who comes and goes: let in while there, and shown the cover otherwise. */
async function hireAndFire(proxy: RunningEngine, world: World, until: number): Promise<void> {
  const enters = async (key: Buffer): Promise<boolean> => {
    const session = await connectEe(world.target, { key });
    session?.peer.close();
    return session !== null;
  };
  while (Date.now() < until) {
    const key = randomBytes(16);
    const guest = engineUser('guest', key.toString('hex'), me.domain);
    await proxy.apply({}, [me, guest]);
    if (!(await enters(key))) world.tally.faults.push('a new user was refused');
    await proxy.apply({}, [me]);
    if (await enters(key)) world.tally.faults.push('a removed user was let in');
    await new Promise((resolve) => setTimeout(resolve, Math.min(USER_MS, Math.max(0, until - Date.now()))));
  }
}

/** Mixed traffic for a while, then everybody leaves, and the books are balanced. */
export async function soak({ seconds, clients, sampleMs, seed, onSample }: SoakOptions): Promise<Soaked> {
  const upstreams = await startUpstreams();
  const proxy = await startProxy(upstreams.ports);
  const tally: Tally = { sent: 0, echoed: 0, sessions: 0, refused: 0, faults: [] };
  const world: World = { target: proxy.target, key: KEY, tally };
  const base = footprint(proxy.pid);
  const started = Date.now();
  const until = started + seconds * 1000;
  const samples: Sample[] = [];
  const sampling = setInterval(() => {
    void proxy.stats().then(({ connections }) => {
      const at = {
        seconds: (Date.now() - started) / 1000,
        sessions: connections.current,
        heldByCover: connections.cover,
      };
      const sample = { ...at, ...footprint(proxy.pid) };
      samples.push(sample);
      onSample?.(sample);
    });
  }, sampleMs);
  await Promise.all([
    ...Array.from({ length: clients }, async (_, index) => comeAndGo(world, new Random(seed, index), until)),
    hireAndFire(proxy, world, until),
  ]);
  clearInterval(sampling);
  const open = await settle(proxy, upstreams);
  const [stats, end] = [await proxy.stats(), footprint(proxy.pid)];
  const faults = [...tally.faults, ...imbalances(stats), ...lostBytes(stats, tally), ...leftovers(base, end, open)];
  for (const { event, level } of proxy.events) if (level === 'error') faults.push(`event ${event}`);
  await proxy.stop();
  await upstreams.stop();
  return { samples, base, end, stats, tally, faults };
}

/** Wait until nobody is connected; returns the connections that upstreams still see. */
async function settle(proxy: RunningEngine, upstreams: Upstreams): Promise<number> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const open = await upstreams.open();
    const { current } = (await proxy.stats()).connections;
    if ((open === 0 && current === 0) || Date.now() > deadline) return open;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Bytes that clients sent and lost lie between what they sent and what they got back. */
function lostBytes({ bytes }: EngineStats, tally: Tally): string[] {
  const faults: string[] = [];
  if (bytes.up > tally.sent || bytes.up < tally.echoed) {
    faults.push(`${bytes.up} bytes up; clients sent ${tally.sent} and got ${tally.echoed} back`);
  }
  if (bytes.down > tally.sent || bytes.down < tally.echoed) {
    faults.push(`${bytes.down} bytes down; clients sent ${tally.sent} and got ${tally.echoed} back`);
  }
  return faults;
}

function leftovers(base: Footprint, end: Footprint, open: number): string[] {
  const faults: string[] = [];
  if (open !== 0) faults.push(`${open} connections are left at the upstreams`);
  if (end.fds > base.fds + FD_SLACK) faults.push(`${base.fds} descriptors became ${end.fds}`);
  if (end.threads > base.threads) faults.push(`${base.threads} threads became ${end.threads}`);
  return faults;
}
