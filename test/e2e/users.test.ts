import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { EngineUser } from '../../src/daemon/supervisor/engine.ts';
import { KEY, me, type RunningEngine, startEngine } from '../support/engine.ts';
import { engineUser } from '../support/engine-user.ts';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import { connectEe, type Session } from '../support/raw-client.ts';

let dc: FakeDc;
let proxy: RunningEngine;
const open: Session[] = [];

beforeAll(async () => {
  dc = await startFakeDc();
});
afterAll(async () => dc.close());
afterEach(async () => {
  for (const session of open.splice(0)) session.peer.close();
  await proxy.stop();
});

const NEW = randomBytes(16);
const YOU = randomBytes(16);
const you = engineUser('you', YOU.toString('hex'), 'cover.test');

function limited(limits: Partial<EngineUser['limits']>): EngineUser {
  return { ...me, limits: { ...me.limits, ...limits } };
}

function secret(
  id: string,
  key: Buffer,
  state: EngineUser['secrets'][number]['state'],
  maxNetworks: number | null = null,
) {
  return { id, key: key.toString('hex'), state, maxNetworks };
}

/** Open a session that answers; null where the proxy keeps it out. */
async function enter(key = KEY, socket: object = {}): Promise<Session | null> {
  const session = await connectEe(proxy.target, { key, socket }).catch(() => null);
  if (session === null || !(await session.reqPq())) return null;
  open.push(session);
  return session;
}

/** How many of `count` sessions at once come in. */
async function crowd(count: number, key = KEY, socket: object = {}): Promise<number> {
  const entered = await Promise.all(Array.from({ length: count }, async () => enter(key, socket)));
  return entered.filter((session) => session !== null).length;
}

async function row(id: string) {
  return (await proxy.engine.usage()).rows.find((each) => each.id === id);
}

describe('limits of a user', () => {
  test('connections are counted over all workers and secrets, and room is used again', async () => {
    const user = { ...limited({ connections: 8 }), secrets: [...me.secrets, secret('me/2', NEW, 'active')] };
    proxy = await startEngine({ dc, users: [user, you] });
    const [old, fresh] = await Promise.all([crowd(12), crowd(12, NEW)]);
    expect(old + fresh).toBe(8);
    expect((await proxy.stats()).handshakes).toMatchObject({ ok: 8, devices: 16 });
    expect(await crowd(5, YOU)).toBe(5);
    open.splice(0, 3).forEach((session) => session.peer.close());
    await expect.poll(async () => (await row('me'))?.connections).toBe(5);
    expect(await crowd(6)).toBe(3);
  });

  test('networks: as many addresses at once as allowed, each with any number of connections', async () => {
    proxy = await startEngine({ dc, users: [limited({ networks: 2 }), you] });
    expect(await crowd(4, KEY, { localAddress: '127.0.0.2' })).toBe(4);
    expect(await crowd(4, KEY, { localAddress: '127.0.0.3' })).toBe(4);
    expect(await crowd(4, KEY, { localAddress: '127.0.0.4' })).toBe(0);
    expect(await crowd(2, YOU, { localAddress: '127.0.0.4' })).toBe(2);
    expect(await row('me')).toMatchObject({ connections: 8, networks: 2 });
    open.splice(0, 4).forEach((session) => session.peer.close());
    await expect.poll(async () => (await row('me'))?.networks).toBe(1);
    expect(await crowd(1, KEY, { localAddress: '127.0.0.4' })).toBe(1);
  });

  test('many networks at the same moment are not more than allowed', async () => {
    proxy = await startEngine({ dc, users: [limited({ networks: 3 })] });
    const each = Array.from({ length: 12 }, async (_, at) => crowd(2, KEY, { localAddress: `127.0.1.${at + 1}` }));
    const counts = await Promise.all(each);
    expect((await row('me'))?.networks).toBe(3);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe((await row('me'))?.connections);
  });

  test('a secret on its way out has its own limit of networks', async () => {
    const user = { ...me, secrets: [secret('me/1', KEY, 'retiring', 1), secret('me/2', NEW, 'active')] };
    proxy = await startEngine({ dc, users: [user] });
    expect(await crowd(2, KEY, { localAddress: '127.0.0.2' })).toBe(2);
    expect(await crowd(2, KEY, { localAddress: '127.0.0.3' })).toBe(0);
    expect(await crowd(2, NEW, { localAddress: '127.0.0.3' })).toBe(2);
    expect(await row('me/1')).toMatchObject({ connections: 2, networks: 1 });
    expect(await row('me/2')).toMatchObject({ connections: 2, networks: 1 });
    expect(await row('me')).toMatchObject({ connections: 4, networks: 2 });
  });
});

describe('who may not go on', () => {
  test('a draining secret lets nobody new in and cuts nobody; a tombstone is known, and does', async () => {
    proxy = await startEngine({ dc, users: [me, you] });
    const [mine, yours] = [await enter(), await enter(YOU)];
    await proxy.apply({}, [{ ...me, secrets: [secret('me/1', KEY, 'draining'), secret('me/2', NEW, 'active')] }, you]);
    expect(await enter()).toBeNull();
    expect(await enter(NEW)).not.toBeNull();
    expect(await mine?.reqPq()).toBe(true);
    await proxy.apply({}, [{ ...me, secrets: [secret('me/1', KEY, 'tombstone'), secret('me/2', NEW, 'active')] }, you]);
    expect(await mine?.peer.end(2000)).not.toBe('open');
    expect(await enter()).toBeNull();
    expect((await proxy.stats()).handshakes).toMatchObject({ ok: 3, stale: 2 });
    await expect.poll(async () => (await proxy.stats()).closes).toMatchObject({ user: 1 });
    expect(await yours?.reqPq()).toBe(true);
  });

  test.each([
    ['disabled', (): EngineUser[] => [{ ...me, enabled: false }, you], 'disabled'],
    ['removed', (): EngineUser[] => [you], 'bad_hmac'],
  ] as const)('a user who is %s is cut at once, and others are not', async (_, users, reason) => {
    proxy = await startEngine({ dc, users: [me, you] });
    const [mine, yours] = [await enter(), await enter(YOU)];
    await proxy.apply({}, users());
    expect(await mine?.peer.end(1000)).not.toBe('open');
    expect(await enter()).toBeNull();
    expect((await proxy.stats()).handshakes[reason]).toBe(1);
    expect(await yours?.reqPq()).toBe(true);
  });

  test('at the end of a term the user is cut without a new revision', async () => {
    proxy = await startEngine({ dc, users: [me, you] });
    const [mine, yours] = [await enter(), await enter(YOU)];
    await proxy.apply({}, [{ ...me, expiresAt: Date.now() + 1000 }, you]);
    expect(await mine?.reqPq()).toBe(true);
    expect(await mine?.peer.end(5000)).not.toBe('open');
    expect(await enter()).toBeNull();
    expect((await proxy.stats()).handshakes).toMatchObject({ ok: 2, expired: 1 });
    expect(await yours?.reqPq()).toBe(true);
  });

  test('who has used up an allowance is cut, and comes in again with a larger one', async () => {
    const echo = await startFakeDc('echo');
    proxy = await startEngine({ dc: echo, users: [me, you] });
    await proxy.engine.allow({ me: 1_000_000 });
    const mine = await connectEe(proxy.target, { key: KEY });
    const yours = await connectEe(proxy.target, { key: YOU });
    for (const session of [mine, yours]) {
      session?.send(randomBytes(400_000), 16_384);
      expect(await session?.read(400_000)).toHaveLength(400_000);
    }
    mine?.send(randomBytes(400_000), 16_384);
    expect(await mine?.peer.end(3000)).not.toBe('open');
    expect(await connectEe(proxy.target, { key: KEY })).toBeNull();
    expect((await proxy.stats()).handshakes).toMatchObject({ ok: 2, quota: 1 });
    yours?.send(randomBytes(400_000), 16_384);
    expect(await yours?.read(400_000)).toHaveLength(400_000);
    await proxy.engine.allow({ me: 10_000_000 });
    const again = await connectEe(proxy.target, { key: KEY });
    expect(again).not.toBeNull();
    for (const session of [again, yours]) session?.peer.close();
    await echo.close();
  });
});

describe('the speed of a user', () => {
  /** Ms that it takes until all `bytes` of an echo are back. */
  async function echoed(key: Buffer, bytes: number): Promise<number> {
    const session = await connectEe(proxy.target, { key });
    const started = performance.now();
    session?.send(randomBytes(bytes), 16_384);
    expect(await session?.read(bytes, 20_000)).toHaveLength(bytes);
    session?.peer.close();
    return performance.now() - started;
  }

  test.each(['up', 'down'] as const)(
    '%s is that of all connections together, and others keep theirs',
    async (direction) => {
      const echo = await startFakeDc('echo');
      proxy = await startEngine({ dc: echo, users: [limited({ [`${direction}BytesPerSecond`]: 1_000_000 }), you] });
      const [slow, ...rest] = await Promise.all([
        echoed(KEY, 1_000_000),
        echoed(KEY, 1_000_000),
        echoed(YOU, 2_000_000),
      ]);
      const slowest = Math.max(slow, rest[0]);
      // Two megabytes at one a second, but for a burst of half a second.
      expect(slowest).toBeGreaterThan(1300);
      expect(rest[1]).toBeLessThan(slowest);
      expect(await row('me')).toMatchObject({ up: 2_000_000, down: 2_000_000 });
      await echo.close();
    },
  );

  test('none at all is a speed too, until it is changed', async () => {
    const echo = await startFakeDc('echo');
    proxy = await startEngine({ dc: echo, users: [limited({ downBytesPerSecond: 0 })] });
    const session = await connectEe(proxy.target, { key: KEY });
    const data = randomBytes(400_000);
    session?.send(data, 16_384);
    expect(await session?.read(data.length, 1500)).toBeNull();
    expect((await row('me'))?.down).toBeLessThan(data.length);
    await proxy.apply({}, [me]);
    await expect.poll(async () => (await row('me'))?.down).toBe(data.length);
    session?.peer.close();
    await echo.close();
  });

  test('changes for who is connected, and every byte still arrives', async () => {
    const echo = await startFakeDc('echo');
    proxy = await startEngine({ dc: echo, users: [me] });
    const session = await connectEe(proxy.target, { key: KEY });
    const data = randomBytes(1_500_000);
    const turn = async (): Promise<number> => {
      const started = performance.now();
      session?.send(data, 16_384);
      expect((await session?.read(data.length, 20_000))?.equals(data)).toBe(true);
      return performance.now() - started;
    };
    await turn();
    await proxy.apply({}, [limited({ downBytesPerSecond: 1_000_000 })]);
    await turn();
    expect(await turn()).toBeGreaterThan(800);
    await proxy.apply({}, [me]);
    await turn();
    session?.peer.close();
    await echo.close();
  });
});
