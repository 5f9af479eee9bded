import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { KEY, type RunningEngine, startEngine } from '../support/engine.ts';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import { acceptsHello, connectEe, makeHello, Peer, Session } from '../support/raw-client.ts';
import { startSocks5 } from '../support/socks5.ts';
import { clientOpening, frame, sequence } from '../support/wire.ts';

let dc: FakeDc;
let proxy: RunningEngine | undefined;
const open: Session[] = [];

beforeAll(async () => {
  dc = await startFakeDc();
});
afterAll(async () => dc.close());
afterEach(async () => {
  for (const session of open.splice(0)) session.peer.close();
  await proxy?.stop();
  proxy = undefined;
});

/** Open a session that answers; null where the proxy keeps it out. */
async function enter(target: { host: string; port: number }, socket: object = {}): Promise<Session | null> {
  const session = await connectEe(target, { key: KEY, socket }).catch(() => null);
  if (session === null || !(await session.reqPq())) return null;
  open.push(session);
  return session;
}

test('no more connections than allowed come in, all workers together, and room is used again', async () => {
  proxy = await startEngine({ dc, limits: { connections: 5 } });
  const { target } = proxy;
  const entered = await Promise.all(Array.from({ length: 9 }, async () => enter(target)));
  expect(entered.filter((session) => session !== null)).toHaveLength(5);
  expect((await proxy.stats()).handshakes).toMatchObject({ ok: 5, limit: 4 });
  open.pop()?.peer.close();
  await expect.poll(async () => (await proxy?.stats())?.connections.relayed).toBe(4);
  expect(await enter(target)).not.toBeNull();
  expect(await enter(target)).toBeNull();
});

test('each address has its own share, and other addresses are not affected', async () => {
  proxy = await startEngine({ dc, limits: { perSource: 3 } });
  const { target } = proxy;
  const from = async (localAddress: string): Promise<(Session | null)[]> =>
    Promise.all(Array.from({ length: 6 }, async () => enter(target, { localAddress })));
  for (const address of ['127.0.0.2', '127.0.0.3']) {
    expect((await from(address)).filter((session) => session !== null)).toHaveLength(3);
  }
  for (const session of open.splice(0, 2)) session.peer.close();
  await expect.poll(async () => (await proxy?.stats())?.connections.relayed).toBe(4);
  expect((await from('127.0.0.2')).filter((session) => session !== null)).toHaveLength(2);
});

test('the addresses of one IPv6 /64 share their limit, those of another do not', async () => {
  proxy = await startEngine({ dc, limits: { perSource: 2 }, settings: { proxyProtocolFrom: ['127.0.0.1/32'] } });
  const { target } = proxy;
  const from = async (address: string): Promise<boolean> => {
    const peer = await Peer.open(target);
    const hello = makeHello({ key: KEY });
    peer.send(Buffer.concat([Buffer.from(`PROXY TCP6 ${address} 2001:db8::1 4711 443\r\n`), hello]));
    return acceptsHello(peer, hello, KEY);
  };
  expect(await from('2001:db8:1:1::1')).toBe(true);
  expect(await from('2001:db8:1:1:ffff::2')).toBe(true);
  expect(await from('2001:db8:1:1::3')).toBe(false);
  expect(await from('2001:db8:1:2::1')).toBe(true);
});

test('who does not finish the handshake is closed at the deadline, before and after the answer', async () => {
  proxy = await startEngine({ dc, limits: { handshakeMs: 1000 } });
  const silent = await Peer.open(proxy.target);
  const half = await Peer.open(proxy.target);
  half.send(Buffer.from('160301', 'hex'));
  const answered = await Peer.open(proxy.target);
  const hello = makeHello({ key: KEY });
  answered.send(hello);
  expect(await acceptsHello(answered, hello, KEY)).toBe(true);
  expect(await Promise.all([silent, half, answered].map(async (peer) => peer.end(5000)))).toEqual([
    'ECONNRESET',
    'ECONNRESET',
    'fin',
  ]);
  expect((await proxy.stats()).handshakes).toMatchObject({ silent: 1, timeout: 2 });
});

test('a data centre that takes connections and never answers costs its sessions only', async () => {
  const mute = await startFakeDc('mute');
  proxy = await startEngine({ dc: mute });
  const waiting = await connectEe(proxy.target, { key: KEY });
  waiting?.send(frame('dd', Buffer.alloc(40)));
  expect(await waiting?.read(1, 500)).toBeNull();
  expect(waiting?.peer.ended).toBeNull();
  waiting?.peer.close();
  await expect.poll(() => mute.open).toBe(0);
  await mute.close();
});

test('a reader that stops costs a bounded buffer, and gets every byte when it goes on', async () => {
  proxy = await startEngine({ dc, settings: { workers: 1, fastMode: false } });
  const session = await connectEe(proxy.target, { key: KEY });
  const length = 24_000_000;
  const order = Buffer.alloc(12);
  order.write('bulk');
  order.writeBigUInt64LE(BigInt(length), 4);
  session?.send(frame('dd', order));
  await session?.read(1);
  session?.peer.socket.pause();
  const before = (await proxy.stats()).rssBytes;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const { rssBytes, bytes } = await proxy.stats();
  // The data centre has far more to give than kernel buffers hold; what is not read must stay there.
  expect(bytes.down).toBeLessThan(length / 2);
  expect(rssBytes - before).toBeLessThan(16_000_000);
  session?.peer.socket.resume();
  const rest = await session?.read(length - 1, 25_000);
  expect(rest?.equals(sequence(length).subarray(1))).toBe(true);
  session?.peer.close();
});

describe('replays', () => {
  async function replay(hello: Buffer, times: number): Promise<number> {
    const answers = await Promise.all(
      Array.from({ length: times }, async () => {
        const peer = await Peer.open(proxy?.target ?? { host: '', port: 0 });
        peer.send(hello);
        const accepted = await acceptsHello(peer, hello, KEY);
        peer.close();
        return accepted;
      }),
    );
    return answers.filter(Boolean).length;
  }

  test('of one hello sent twenty times at once to four workers one is accepted', async () => {
    proxy = await startEngine({ dc, settings: { workers: 4 } });
    expect(await replay(makeHello({ key: KEY }), 20)).toBe(1);
    expect((await proxy.stats()).handshakes.replay).toBe(19);
  });

  test('a hello with the time in it moved is still the same hello', async () => {
    proxy = await startEngine({ dc });
    const hello = makeHello({ key: KEY, skew: -60 });
    expect(await replay(hello, 1)).toBe(1);
    hello.writeUInt32LE((hello.readUInt32LE(39) ^ 0x01) >>> 0, 39);
    expect(await replay(hello, 1)).toBe(0);
  });

  test('bare headers are not accepted twice either', async () => {
    proxy = await startEngine({ dc, settings: { modes: ['dd'] } });
    const { header, stream } = clientOpening('dd', 2, KEY);
    const first = await Peer.open(proxy.target);
    first.send(header);
    expect(await new Session(first, 'dd', stream, false).reqPq()).toBe(true);
    const second = await Peer.open(proxy.target);
    second.send(header);
    expect(await second.end()).toBe('ECONNRESET');
    expect((await proxy.stats()).handshakes).toMatchObject({ ok: 1, replay: 1 });
    first.close();
  });

  test('a restarted engine remembers, whether it was stopped or killed', async () => {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-replay-'));
    const replayFile = path.join(dir, 'journal');
    const hellos = [makeHello({ key: KEY }), makeHello({ key: KEY })] as const;
    proxy = await startEngine({ dc, settings: { replayFile } });
    expect(await replay(hellos[0], 1)).toBe(1);
    await proxy.stop();
    proxy = await startEngine({ dc, settings: { replayFile } });
    expect(await replay(hellos[0], 1)).toBe(0);
    expect(await replay(hellos[1], 1)).toBe(1);
    await expect.poll(async () => (await readFile(replayFile)).length).toBe(32);
    process.kill(proxy.pid, 'SIGKILL');
    proxy = await startEngine({ dc, settings: { replayFile } });
    expect(await replay(hellos[1], 1)).toBe(0);
    await rm(dir, { recursive: true });
  });
});

test('without free descriptors newcomers are turned away, live sessions go on, and it recovers', async () => {
  proxy = await startEngine({ dc });
  const live = await enter(proxy.target);
  execFileSync('prlimit', ['--pid', String(proxy.pid), '--nofile=80:80']);
  const crowd: Peer[] = [];
  for (let at = 0; at < 120; at++) crowd.push(await Peer.open(proxy.target).catch(() => null as never));
  await expect.poll(() => crowd.filter((peer) => peer.ended !== null).length, { timeout: 15_000 }).toBeGreaterThan(30);
  expect(await live?.reqPq()).toBe(true);
  for (const peer of crowd) peer.close();
  const { target } = proxy;
  await expect.poll(async () => (await enter(target)) !== null, { timeout: 10_000 }).toBe(true);
  expect(await live?.reqPq()).toBe(true);
});

test('a thousand hellos at once are all answered', async () => {
  proxy = await startEngine({ dc, limits: { perSource: null } });
  const { target } = proxy;
  const sessions = await Promise.all(Array.from({ length: 1000 }, async () => enter(target)));
  expect(sessions.filter((session) => session === null)).toHaveLength(0);
  const { connections, handshakes } = await proxy.stats();
  expect(connections).toMatchObject({ current: 1000, relayed: 1000 });
  expect(handshakes.ok).toBe(1000);
  for (const session of open.splice(0)) session.peer.close();
  await expect.poll(async () => (await proxy?.stats())?.connections.current, { timeout: 10_000 }).toBe(0);
});

test('draining lets sessions end, closes idle newcomers at once, and cuts what stays', async () => {
  proxy = await startEngine({ dc });
  const staying = await enter(proxy.target);
  const idle = await Peer.open(proxy.target);
  // Accepted, not just in the kernel's queue, which a closed listener resets.
  await expect.poll(async () => (await proxy?.stats())?.connections.current).toBe(2);
  const drained = proxy.engine.drain(1000);
  expect(await idle.end()).toBe('fin');
  // The workers close their listeners each in its own time.
  const { target } = proxy;
  const knock = async (): Promise<string> =>
    Peer.open(target).then((peer) => {
      peer.close();
      return 'open';
    }, String);
  await expect.poll(knock).toContain('ECONNREFUSED');
  expect(await staying?.reqPq()).toBe(true);
  expect(await drained).toEqual({ cut: 1 });
});

describe('SOCKS5', () => {
  test('Telegram is reached through the proxy that is configured, with and without login', async () => {
    const socks = await startSocks5();
    const { host, port, asked } = socks;
    const login = { username: 'someone', password: randomBytes(4).toString('hex') };
    proxy = await startEngine({ dc, settings: { socks5: { host, port, ...login } } });
    expect(await enter(proxy.target)).not.toBeNull();
    expect(asked[1]).toContain(Buffer.from(login.password).toString('hex'));
    await proxy.apply({ socks5: { host, port } });
    expect(await enter(proxy.target)).toBeNull();
    await expect.poll(() => proxy?.events.map(({ event }) => event)).toContain('socks_refused');
    expect((await proxy.stats()).handshakes.dc_unreachable).toBe(1);
    for (const session of open.splice(0)) session.peer.close();
    await socks.close();
  });
});
