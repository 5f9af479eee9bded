import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { native } from '../support/accelerator.ts';
import { type RunningEngine, KEY, me, startEngine } from '../support/engine.ts';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import {
  acceptsHello,
  appData,
  CCS,
  connectBare,
  connectEe,
  makeHello,
  Peer,
  Session,
  splitHello,
} from '../support/raw-client.ts';
import { clientOpening, frame, sequence, type Tag } from '../support/wire.ts';
import { engineUser } from '../support/engine-user.ts';

let dc: FakeDc;
let proxy: RunningEngine | undefined;

beforeAll(async () => {
  dc = await startFakeDc();
});
afterAll(async () => dc.close());
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});

test('the engine says whether its threads use the accelerator', async () => {
  proxy = await startEngine({ dc });
  expect((await proxy.stats()).accelerator).toBe(native === null ? 'none' : 'native');
  expect(proxy.events).toEqual([]);
});

const KINDS = ['ee', 'dd', 'plain'] as const;

async function open(kind: (typeof KINDS)[number], tag: Tag, key = KEY): Promise<Session | null> {
  const target = proxy?.target ?? { host: '', port: 0 };
  return kind === 'ee' ? connectEe(target, { key, tag }) : connectBare(target, { key, tag });
}

describe.each([true, false])('fast mode %s', (fastMode) => {
  test.each([1, 2])(
    'every mode and transport reaches Telegram through %i workers, and no wrong secret does',
    async (workers) => {
      proxy = await startEngine({
        dc,
        settings: {
          workers,
          fastMode,
          modes: ['ee', 'dd', 'plain'],
          transports: ['padded', 'intermediate', 'abridged'],
        },
      });
      for (const kind of KINDS) {
        for (const tag of kind === 'dd' ? (['dd'] as const) : (['dd', 'ee', 'ef'] as const)) {
          const session = await open(kind, tag);
          expect(await session?.reqPq(), `${kind} ${tag}`).toBe(true);
          expect(dc.openings.at(-1)).toEqual({ tag, dc: 2 });
          session?.peer.close();
          const wrong = await open(kind, tag, randomBytes(16));
          expect((await wrong?.reqPq()) ?? false).toBe(false);
          wrong?.peer.close();
        }
      }
      expect((await proxy.stats()).handshakes).toMatchObject({ ok: 7, bad_hmac: 3, bad_tag: 4 });
    },
  );

  test('megabytes arrive as they were sent, in both directions', async () => {
    const echo = await startFakeDc('echo');
    proxy = await startEngine({ dc: echo, settings: { fastMode, modes: ['ee', 'dd'] } });
    for (const kind of ['ee', 'dd'] as const) {
      const session = await open(kind, 'dd');
      const data = sequence(5_000_000);
      session?.send(data, 16_384);
      expect((await session?.read(data.length, 20_000))?.equals(data)).toBe(true);
      session?.peer.close();
    }
    expect((await proxy.stats()).bytes).toEqual({ up: 10_000_000, down: 10_000_000 });
    await echo.close();
  });
});

test('small and large messages mix in one stream', async () => {
  const echo = await startFakeDc('echo');
  proxy = await startEngine({ dc: echo, settings: { fastMode: false } });
  const session = await connectEe(proxy.target, { key: KEY });
  for (const size of [1, 100, 767, 768, 769, 5000, 3, 70_000, 1]) {
    const data = randomBytes(size);
    session?.send(data);
    expect((await session?.read(size))?.equals(data), `${size} bytes`).toBe(true);
  }
  session?.peer.close();
  await echo.close();
});

describe('the opening', () => {
  test.each([
    ['one byte a segment', 1, 1],
    ['two records in small segments', 2, 100],
    ['five records', 5, 4000],
  ])('a hello in %s is accepted', async (_, records, size) => {
    proxy = await startEngine({ dc });
    const peer = await Peer.open(proxy.target);
    const hello = makeHello({ key: KEY, postQuantum: size !== 1 });
    await peer.dribble(records === 1 ? hello : splitHello(hello, records), size);
    expect(await acceptsHello(peer, hello, KEY)).toBe(true);
    peer.close();
  });

  test('a hello without a server name, or for another one, is a client all the same', async () => {
    proxy = await startEngine({ dc });
    for (const domain of [null, 'other.example']) {
      const session = await connectEe(proxy.target, { key: KEY, domain });
      expect(await session?.reqPq()).toBe(true);
      session?.peer.close();
    }
  });

  test('the header may come over three records with a change-cipher-spec between them', async () => {
    proxy = await startEngine({ dc });
    const peer = await Peer.open(proxy.target);
    const hello = makeHello({ key: KEY });
    peer.send(hello);
    expect(await acceptsHello(peer, hello, KEY)).toBe(true);
    const { header, stream } = clientOpening('dd', 2, KEY);
    peer.send(Buffer.concat([CCS, appData(header.subarray(0, 10)), CCS, appData(header.subarray(10, 40))]));
    peer.send(appData(header.subarray(40)));
    expect(await new Session(peer, 'dd', stream, true).reqPq()).toBe(true);
    peer.close();
  });

  test('the first request may come with the header, in a record of 16,408 bytes', async () => {
    const echo = await startFakeDc('echo');
    proxy = await startEngine({ dc: echo });
    const peer = await Peer.open(proxy.target);
    const hello = makeHello({ key: KEY });
    peer.send(hello);
    expect(await acceptsHello(peer, hello, KEY)).toBe(true);
    const { header, stream } = clientOpening('dd', 2, KEY);
    const data = randomBytes(16_408 - 64);
    peer.send(Buffer.concat([CCS, appData(Buffer.concat([header, stream.encrypt(data)]))]));
    expect((await new Session(peer, 'dd', stream, true).read(data.length))?.equals(data)).toBe(true);
    peer.close();
    await echo.close();
  });

  test('a post-quantum share is answered only where the cover does', async () => {
    const shape = { flightBytes: 4000, postQuantum: true };
    proxy = await startEngine({ dc, coverSettings: { profiles: { 'cover.test': shape } } });
    for (const postQuantum of [true, false]) {
      const peer = await Peer.open(proxy.target);
      const hello = makeHello({ key: KEY, postQuantum });
      peer.send(hello);
      const head = await peer.until(() => (peer.received.length > 5 ? peer.received.readUInt16BE(3) : null));
      expect(head).toBe(postQuantum ? 1210 : 122);
      const whole = peer.received.length;
      expect(await acceptsHello(peer, hello, KEY)).toBe(true);
      expect(Math.abs(whole - (5 + (head ?? 0) + 6 + 4000))).toBeLessThanOrEqual(2);
      peer.close();
    }
  });

  test('a wrong transport inside a good handshake ends as a TLS server ends it', async () => {
    proxy = await startEngine({ dc });
    const session = await connectEe(proxy.target, { key: KEY, tag: 'ef' });
    const record = await session?.peer.take(24);
    expect(record?.subarray(0, 5).toString('hex')).toBe('1703030013');
    expect(await session?.peer.end()).toBe('fin');
    expect((await proxy.stats()).handshakes.bad_tag).toBe(1);
  });
});

describe('Telegram', () => {
  test('the data centre is chosen by the index, media and unknown ones included', async () => {
    const [two, four] = [await startFakeDc(), await startFakeDc()];
    const dcs = { 2: [two.endpoint], 4: [four.endpoint] };
    proxy = await startEngine({
      settings: { telegram: { prefer: 'ipv4', dcs, fallbackDc: 2, connectMs: 2000 } },
    });
    for (const index of [2, 4, -4, 77, 0]) {
      const session = await connectEe(proxy.target, { key: KEY, dc: index });
      expect(await session?.reqPq(), `DC ${index}`).toBe(true);
      session?.peer.close();
    }
    expect(two.openings.map((opening) => opening.dc)).toEqual([2, 77, 0]);
    expect(four.openings.map((opening) => opening.dc)).toEqual([4, -4]);
    await proxy.apply({ telegram: { prefer: 'ipv4', dcs, fallbackDc: null, connectMs: 2000 } });
    const refused = await connectEe(proxy.target, { key: KEY, dc: 77 });
    expect(await refused?.reqPq()).toBe(false);
    expect((await proxy.stats()).handshakes.unknown_dc).toBe(1);
    await Promise.all([two.close(), four.close()]);
  });

  test('an address that refuses is passed over for the next', async () => {
    const dead = { host: '127.0.0.1', port: 9 };
    proxy = await startEngine({
      settings: { telegram: { prefer: 'ipv4', dcs: { 2: [dead, dc.endpoint] }, fallbackDc: 2, connectMs: 2000 } },
    });
    const session = await connectEe(proxy.target, { key: KEY });
    expect(await session?.reqPq()).toBe(true);
    session?.peer.close();
  });

  test('IPv6 addresses are preferred or used alone as configured', async () => {
    const v6 = await startFakeDc('frames', '::1');
    const dcs = { 2: [dc.endpoint, v6.endpoint] };
    proxy = await startEngine({ settings: { telegram: { prefer: 'ipv6', dcs, fallbackDc: 2, connectMs: 2000 } } });
    const session = await connectEe(proxy.target, { key: KEY });
    expect(await session?.reqPq()).toBe(true);
    expect(v6.openings).toHaveLength(1);
    session?.peer.close();
    await proxy.apply({ telegram: { prefer: 'ipv4-only', dcs: { 2: [v6.endpoint] }, fallbackDc: 2, connectMs: 2000 } });
    expect(await (await connectEe(proxy.target, { key: KEY }))?.reqPq()).toBe(false);
    expect((await proxy.stats()).handshakes.dc_unreachable).toBe(1);
    await v6.close();
  });

  test('a data centre that is down, resets or goes away ends the session and nothing else', async () => {
    const [resetting, leaving] = [await startFakeDc('reset'), await startFakeDc('echo')];
    const at = (target: object): object => ({ prefer: 'ipv4', dcs: { 2: [target] }, fallbackDc: 2, connectMs: 1000 });
    proxy = await startEngine({ dc });
    const healthy = await connectEe(proxy.target, { key: KEY });
    expect(await healthy?.reqPq()).toBe(true);
    await proxy.apply({ telegram: at({ host: '127.0.0.1', port: 9 }) as never });
    expect(await (await connectEe(proxy.target, { key: KEY }))?.reqPq()).toBe(false);
    await proxy.apply({ telegram: at(resetting.endpoint) as never });
    const cut = await connectEe(proxy.target, { key: KEY });
    cut?.send(Buffer.alloc(10));
    expect(await cut?.peer.end()).toBe('ECONNRESET');
    await proxy.apply({ telegram: at(leaving.endpoint) as never });
    const left = await connectEe(proxy.target, { key: KEY });
    left?.send(Buffer.alloc(10));
    expect(await left?.read(10)).toEqual(Buffer.alloc(10));
    await leaving.close();
    expect(await left?.peer.end()).not.toBeNull();
    expect(await healthy?.reqPq()).toBe(true);
    healthy?.peer.close();
    await resetting.close();
  });

  test('a session through which nothing moves is closed after the idle time', async () => {
    const mute = await startFakeDc('mute');
    proxy = await startEngine({ dc: mute, limits: { idleMs: 1000 } });
    const session = await connectEe(proxy.target, { key: KEY });
    session?.send(frame('dd', Buffer.alloc(40)));
    expect(await session?.peer.end(5000)).toBe('fin');
    await expect.poll(() => mute.open).toBe(0);
    await mute.close();
  });
});

test('a revision that adds and removes users counts from the moment it is confirmed', async () => {
  const key = randomBytes(16);
  proxy = await startEngine({ dc });
  const live = await connectEe(proxy.target, { key: KEY });
  expect(await live?.reqPq()).toBe(true);
  expect(await connectEe(proxy.target, { key })).toBeNull();
  const bob = engineUser('bob', key.toString('hex'), me.domain);
  expect(await proxy.apply({}, [me, bob])).toBe('r1');
  const added = await connectEe(proxy.target, { key });
  expect(await added?.reqPq()).toBe(true);
  expect(await proxy.apply({}, [me, { ...bob, enabled: false }])).toBe('r2');
  await expect.poll(() => added?.peer.ended).toBeTruthy();
  expect(await connectEe(proxy.target, { key })).toBeNull();
  expect((await proxy.stats()).handshakes.disabled).toBe(1);
  expect(await live?.reqPq()).toBe(true);
  expect(await proxy.apply({}, [bob])).toBe('r3');
  await expect.poll(() => live?.peer.ended).toBeTruthy();
  expect(await connectEe(proxy.target, { key: KEY })).toBeNull();
  expect((await proxy.stats()).closes.user).toBe(2);
});

test('one secret among a thousand is found, wherever it stands', async () => {
  const keys = Array.from({ length: 1000 }, () => randomBytes(16));
  const users = keys.map((key, at) =>
    engineUser(`user-${at}`, key.toString('hex'), at % 2 === 0 ? 'cover.test' : 'other.test'),
  );
  proxy = await startEngine({ dc, users, settings: { modes: ['ee', 'dd'] } });
  for (const at of [0, 1, 499, 500, 998, 999]) {
    const key = keys[at] as Buffer;
    for (const connect of [connectEe, connectBare]) {
      const session = await connect(proxy.target, { key });
      expect(await session?.reqPq(), `user ${at}`).toBe(true);
      session?.peer.close();
    }
  }
  expect(await connectEe(proxy.target, { key: randomBytes(16) })).toBeNull();
});
