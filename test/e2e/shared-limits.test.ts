import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BuiltinEngine } from '../../src/daemon/supervisor/builtin.ts';
import type { Endpoint, EngineRevision, EngineUser } from '../../src/daemon/supervisor/engine.ts';
import { Supervisor } from '../../src/daemon/supervisor/supervisor.ts';
import { usageOfAll } from '../../src/daemon/totals.ts';
import { type EngineOptions, engineSettings, KEY, me } from '../support/engine.ts';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import { connectEe, type Session } from '../support/raw-client.ts';

let dc: FakeDc;
let supervisor: Supervisor;
let at: Endpoint;
let revision: EngineRevision;
const open = new Set<Session>();

beforeEach(async () => {
  dc = await startFakeDc();
  supervisor = new Supervisor({
    makeEngine: (sockets, module) => new BuiltinEngine(module, { sockets }),
    onEvent: () => undefined,
    onOffence: () => undefined,
    onEngines: () => undefined,
    watchDeath: async () => async () => undefined,
    now: Date.now,
    random: () => 0,
    sleep: async (ms, signal) => sleep(ms, undefined, { signal }),
  });
});

afterEach(async () => {
  for (const session of open) session.peer.close();
  open.clear();
  await supervisor.stop();
  await dc.close();
});

async function start(limits: Partial<EngineUser['limits']>, options: EngineOptions = {}): Promise<void> {
  const users = [{ ...me, limits: { ...me.limits, ...limits } }];
  revision = { id: 'a', settings: engineSettings({ dc, ...options }), users, networkKey: randomBytes(32) };
  at = (await supervisor.start(revision)).listening;
}

const handOver = async (): Promise<unknown> =>
  supervisor.handOver(revision, { prove: async () => undefined, drainMs: 60_000 });

/** Open a session that answers; null where the proxy keeps it out. */
async function enter(localAddress = '127.0.0.1'): Promise<Session | null> {
  const session = await connectEe(at, { key: KEY, socket: { localAddress } }).catch(() => null);
  if (session === null || !(await session.reqPq())) {
    session?.peer.close();
    return null;
  }
  open.add(session);
  return session;
}

/** How many of `count` sessions at once come in. */
async function crowd(count: number, localAddress?: string): Promise<number> {
  const entered = await Promise.all(Array.from({ length: count }, async () => enter(localAddress)));
  return entered.filter((session) => session !== null).length;
}

function leave(count: number): void {
  for (const session of [...open].slice(0, count)) {
    session.peer.close();
    open.delete(session);
  }
}

const usage = async () => (await usageOfAll(supervisor)).find(({ id }) => id === me.id);

describe('beside an engine that drains', () => {
  test('a user has the connections that are left, and those that are given back', async () => {
    await start({ connections: 8 });
    expect(await crowd(9)).toBe(8);
    await handOver();
    expect(await crowd(5)).toBe(0);
    leave(3);
    await expect.poll(async () => (await enter()) !== null).toBe(true);
    expect(await crowd(5)).toBe(2);
    expect(await usage()).toMatchObject({ connections: 8, networks: 1 });
    // Those of two engines that drain at once.
    await handOver();
    expect(await crowd(3)).toBe(0);
    leave(8);
    await expect.poll(() => supervisor.retired.length, { timeout: 10_000 }).toBe(0);
    await expect.poll(async () => crowd(9)).toBe(8);
    expect(await usage()).toMatchObject({ connections: 8, networks: 1 });
  });

  test('a network is the same network, and others count as well', async () => {
    await start({ networks: 2 });
    expect(await crowd(1, '127.0.0.2')).toBe(1);
    await handOver();
    expect(await crowd(2, '127.0.0.3')).toBe(2);
    expect(await crowd(1, '127.0.0.4')).toBe(0);
    expect(await crowd(1, '127.0.0.2')).toBe(1);
    expect(await usage()).toMatchObject({ connections: 4, networks: 2 });
    leave(1);
    await expect.poll(() => supervisor.retired.length, { timeout: 10_000 }).toBe(0);
    expect(await crowd(1, '127.0.0.4')).toBe(0);
    await expect.poll(usage).toMatchObject({ connections: 3, networks: 2 });
  });

  test('a secret on its way out has the networks that are left', async () => {
    await start({});
    const [secret] = me.secrets;
    if (secret === undefined) throw new Error('no secret');
    const retiring = { ...me, secrets: [{ ...secret, state: 'retiring' as const, maxNetworks: 1 }] };
    revision = { ...revision, id: 'b', users: [retiring] };
    await supervisor.apply(revision);
    expect(await crowd(1, '127.0.0.2')).toBe(1);
    await handOver();
    expect(await crowd(1, '127.0.0.3')).toBe(0);
    expect(await crowd(1, '127.0.0.2')).toBe(1);
  });

  test('an address has its share of all connections', async () => {
    await start({}, { limits: { perSource: 3 } });
    expect(await crowd(2, '127.0.0.2')).toBe(2);
    await handOver();
    expect(await crowd(3, '127.0.0.2')).toBe(1);
    expect(await crowd(4, '127.0.0.3')).toBe(3);
    leave(2);
    await expect.poll(async () => crowd(1, '127.0.0.2')).toBe(1);
    expect(await crowd(3, '127.0.0.2')).toBe(1);
  });

  test('what was counted of another engine is given back as a whole', async () => {
    await start({ connections: 2 });
    expect(await crowd(2)).toBe(2);
    const [old] = supervisor.engines;
    const held = await old?.engine.holdings();
    leave(2);
    const next = new BuiltinEngine();
    const serving = await next.start({ ...revision, settings: { ...revision.settings, warm: 0 } });
    await next.share(held === undefined ? [] : [held]);
    at = serving.listening;
    expect(await crowd(1)).toBe(0);
    await next.share([]);
    expect(await crowd(3)).toBe(2);
    await next.stop();
  });

  test(
    'under load a user has no more connections than allowed over three hand-overs',
    { timeout: 60_000 },
    async () => {
      const most = 30;
      await start({ connections: most });
      const ending = new AbortController();
      let [waiting, highest, came] = [0, 0, 0];
      const client = async (): Promise<void> => {
        while (!ending.signal.aborted) {
          waiting += 1;
          const session = await enter();
          waiting -= 1;
          highest = Math.max(highest, open.size);
          if (session === null) {
            await sleep(10 + Math.random() * 40);
            continue;
          }
          came += 1;
          await sleep(Math.random() * 600);
          // Still there, whichever engine serves it.
          expect(await session.reqPq()).toBe(true);
          open.delete(session);
          session.peer.close();
        }
      };
      const clients = Array.from({ length: 2 * most }, client);
      await expect.poll(() => came, { timeout: 20_000 }).toBeGreaterThan(most);
      let unsettled = 0;
      for (let round = 0; round < 3; round++) {
        const before = came;
        unsettled = Math.max(unsettled, waiting);
        await handOver();
        await expect.poll(() => came, { timeout: 20_000 }).toBeGreaterThan(before + most);
      }
      ending.abort();
      await Promise.all(clients);
      process.stdout.write(
        `shared limits: ${came} came in, ${highest} of ${most} at once, ${unsettled} were on their way\n`,
      );
      expect(highest).toBeGreaterThan(most / 2);
      expect(highest).toBeLessThanOrEqual(most + 2);
    },
  );

  test('a speed is that of all connections together', { timeout: 60_000 }, async () => {
    await dc.close();
    dc = await startFakeDc('echo');
    await start({ downBytesPerSecond: 1_000_000 });
    const echo = async (session: Session | null): Promise<void> => {
      const bytes = 3_000_000;
      session?.send(randomBytes(bytes), 16_384);
      expect(await session?.read(bytes, 30_000)).toHaveLength(bytes);
    };
    const early = await connectEe(at, { key: KEY });
    await handOver();
    const late = await connectEe(at, { key: KEY });
    const from = performance.now();
    await Promise.all([echo(early), echo(late)]);
    // Six megabytes at one a second, but for a burst of half a second on each side; each by itself would take 2.5 s.
    expect(performance.now() - from).toBeGreaterThan(4200);
    for (const session of [early, late]) session?.peer.close();
  });
});
