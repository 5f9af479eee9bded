import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type RunningEngine, KEY, me, startEngine } from '../support/engine.ts';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import { connectBare, connectEe, makeHello, Peer } from '../support/raw-client.ts';
import { freePort, type Site, siteIsPossible, startSite } from '../support/site.ts';
import { clientOpening } from '../support/wire.ts';

const run = promisify(execFile);

/** What a program prints about a server, without what changes from one connection to the next. */
async function look(program: string, args: (port: number) => string[], port: number): Promise<string> {
  const running = run(program, args(port), { encoding: 'latin1', maxBuffer: 1e8, timeout: 20_000 });
  running.child.stdin?.end();
  const outcome = await running.catch((error: unknown) => error as { stdout: string; stderr: string; code: number });
  const status = 'code' in outcome ? outcome.code : 0;
  const changing =
    /^(?:---|DONE|.*(?:Session-ID|Master-Key|Start Time|PSK|ticket|Timeout|read \d+ bytes|Date:).*|[0-9A-F]{8,16}:error:|\s+00[0-9a-f]{2} - .*)/gm;
  // Tickets come when they come: whether openssl still sees them before it leaves is chance.
  const [stdout = ''] = outcome.stdout.split(/^(?:Post-Handshake|read R BLOCK)/m);
  const text = `${stdout}\n${outcome.stderr}`;
  return `${status}\n${text.replace(changing, '').replaceAll(String(port), 'PORT').replace(/\n+/g, '\n')}`;
}

/** Send bytes, perhaps FIN, and note everything that comes back, how it ends and after how many seconds. */
async function provoke(
  port: number,
  bytes: Buffer,
  fin: boolean,
): Promise<{ answer: string; end: string | null; seconds: number }> {
  const peer = await Peer.open({ host: '127.0.0.1', port }, { allowHalfOpen: true });
  const from = Date.now();
  if (bytes.length > 0) peer.send(bytes);
  if (fin) peer.socket.end();
  const end = await peer.end(15_000);
  const seconds = Math.round((Date.now() - from) / 1000);
  const answer = peer.received.toString('latin1').replace(/Date: .*/, '');
  peer.close();
  return { answer, end, seconds };
}

describe.skipIf(!siteIsPossible)('to strangers the proxy is the site', () => {
  let site: Site;
  let dc: FakeDc;
  let proxy: RunningEngine;

  beforeAll(async () => {
    [site, dc] = await Promise.all([startSite({ silenceSeconds: 2 }), startFakeDc()]);
    proxy = await startEngine({ dc, cover: site });
  });
  afterAll(async () => {
    await proxy.stop();
    await Promise.all([site.close(), dc.close()]);
  });

  const client =
    (...more: string[]) =>
    (port: number): string[] => ['s_client', '-connect', `127.0.0.1:${port}`, ...more];
  test.each([
    ['openssl with the right name', 'openssl', client('-servername', 'cover.test', '-alpn', 'http/1.1')],
    ['openssl with another name', 'openssl', client('-servername', 'other.test', '-alpn', 'http/1.1')],
    ['openssl without a name', 'openssl', client('-noservername')],
    ['openssl with TLS 1.2 only', 'openssl', client('-servername', 'cover.test', '-tls1_2')],
    ['openssl with TLS 1.1 only', 'openssl', client('-servername', 'cover.test', '-tls1_1')],
    ['openssl with one cipher', 'openssl', client('-tls1_3', '-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256')],
    ['curl over HTTP/1.1', 'curl', (port: number) => ['-ski', '--http1.1', `https://127.0.0.1:${port}/`]],
    ['curl over HTTP/2', 'curl', (port: number) => ['-ski', '--http2', `https://127.0.0.1:${port}/`]],
    ['curl for megabytes', 'curl', (port: number) => ['-sk', `https://127.0.0.1:${port}/big`]],
    ['curl in clear', 'curl', (port: number) => ['-si', `http://127.0.0.1:${port}/`]],
  ])('%s sees no difference', async (_, program, args) => {
    const direct = await look(program, args, site.port);
    expect(await look(program, args, proxy.target.port)).toBe(direct);
    expect(direct.length).toBeGreaterThan(20);
  });

  test.each([
    ['random bytes', randomBytes(300), false],
    ['a request in clear and FIN', Buffer.from('GET / HTTP/1.0\r\n\r\n'), true],
    ['half a request', Buffer.from('GET / HT'), false],
    ['silence', Buffer.alloc(0), false],
    ['FIN alone', Buffer.alloc(0), true],
    ['the beginning of a hello', Buffer.from('1603010200010001fc0303', 'hex'), false],
    ['the beginning of a hello and FIN', Buffer.from('1603010200010001fc0303', 'hex'), true],
    ['an alert', Buffer.from('15030100020228', 'hex'), false],
    ['a hello of another secret', makeHello({ key: randomBytes(16) }), false],
    ['a hello without TLS 1.3', makeHello({ key: KEY, ciphers: [0xc02f, 0xc030] }), false],
    ['a bare header', clientOpening('dd', 2, KEY).header, false],
  ])('%s ends as it does at the site', async (_, bytes, fin) => {
    const [direct, proxied] = await Promise.all([
      provoke(site.port, bytes, fin),
      provoke(proxy.target.port, bytes, fin),
    ]);
    // A hello that the site answers carries random bytes; its shape is what can be compared.
    const comparable = ({ answer, end }: typeof direct): unknown =>
      answer.startsWith('\x16') ? { length: answer.length, end } : { answer, end };
    expect(comparable(proxied)).toEqual(comparable(direct));
    expect(Math.abs(proxied.seconds - direct.seconds)).toBeLessThanOrEqual(1);
  });

  test('a stale, a replayed and a disabled hello get the site, each under its own name', async () => {
    const before = (await proxy.stats()).handshakes;
    for (const skew of [-200, 200]) expect(await connectEe(proxy.target, { key: KEY, skew })).toBeNull();
    const hello = makeHello({ key: KEY });
    for (const expected of ['17', '15']) {
      const peer = await Peer.open(proxy.target);
      peer.send(hello);
      const records = await peer.until(() => (peer.received.length > 1000 || peer.ended ? peer.received : null), 3000);
      // The site answers our hello, which has no usable share for it, with an alert.
      expect(records?.toString('hex', 0, 1) === '15' ? '15' : '17').toBe(expected);
      peer.close();
    }
    await proxy.apply({}, [{ ...me, enabled: false }]);
    expect(await connectEe(proxy.target, { key: KEY })).toBeNull();
    await proxy.apply({}, [me]);
    const after = (await proxy.stats()).handshakes;
    expect({ skew: after.skew - before.skew, replay: after.replay - before.replay }).toEqual({ skew: 2, replay: 1 });
    expect(after.disabled - before.disabled).toBe(1);
  });

  test('a client of a mode that is off gets the site, and the operator its name', async () => {
    const session = await connectBare(proxy.target, { key: KEY });
    expect(await session.reqPq()).toBe(false);
    session.peer.close();
    expect((await proxy.stats()).handshakes.mode_off).toBeGreaterThanOrEqual(1);
  });

  test('a slow client that proves itself after the site has begun to listen is let in', async () => {
    const peer = await Peer.open(proxy.target);
    const hello = makeHello({ key: KEY });
    peer.send(hello.subarray(0, 100));
    await expect.poll(async () => (await proxy.stats()).connections.cover).toBeGreaterThanOrEqual(1);
    peer.send(hello.subarray(100));
    const flight = await peer.until(() => (peer.received.length > 1000 ? peer.received : null));
    expect(flight?.toString('hex', 0, 3)).toBe('160303');
    peer.close();
  });
});

/** Ask the site behind the proxy for its idea of our address, from a local address and after some first bytes. */
async function askPeer(port: number, localAddress: string, first: string): Promise<string> {
  const socket = net.connect({ host: '127.0.0.1', port, localAddress });
  socket.on('error', () => undefined);
  if (first !== '') socket.write(first);
  const secure = tls.connect({ socket, servername: 'cover.test', rejectUnauthorized: false });
  return new Promise((resolve) => {
    let answer = '';
    secure.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    secure.on('error', () => resolve('refused'));
    secure.on('close', () => resolve(answer === '' ? 'refused' : answer));
    secure.write('GET /peer HTTP/1.0\r\nHost: cover.test\r\n\r\n');
  });
}

describe.skipIf(!siteIsPossible)('the way to the cover', () => {
  test.each(['v1', 'v2'] as const)('PROXY protocol %s tells the site who asks', async (proxyProtocol) => {
    const site = await startSite({ proxyProtocol: true });
    const proxy = await startEngine({ cover: site, coverSettings: { proxyProtocol } });
    const { stdout } = await run('curl', [
      '-sk',
      '--interface',
      '127.0.0.77',
      `https://127.0.0.1:${proxy.target.port}/peer`,
    ]);
    expect(stdout).toBe('127.0.0.77\n');
    await proxy.stop();
    await site.close();
  });

  test('a site on a unix socket is reached, and a client that resets harms nobody', async () => {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-unix-'));
    const socketPath = path.join(dir, 'site.sock');
    const site = net.createServer((socket) => socket.on('error', () => undefined).pipe(socket));
    await new Promise<void>((resolve) => site.listen(socketPath, resolve));
    const proxy = await startEngine({ coverSettings: { target: { path: socketPath } }, settings: { workers: 1 } });
    for (let turn = 0; turn < 3; turn++) {
      const peer = await Peer.open(proxy.target);
      peer.send(Buffer.from('GET / HTTP/1.1\r\n'));
      expect(await peer.take(16)).toEqual(Buffer.from('GET / HTTP/1.1\r\n'));
      peer.socket.resetAndDestroy();
    }
    await expect.poll(async () => (await proxy.stats()).connections.current).toBe(0);
    expect(proxy.events).toEqual([]);
    await proxy.stop();
    await new Promise((resolve) => site.close(resolve));
    await rm(dir, { recursive: true });
  });

  test('a PROXY header is read from trusted peers only, and decides who the client is', async () => {
    const site = await startSite({ proxyProtocol: true });
    const settings = { proxyProtocolFrom: ['127.0.0.5/32'] };
    const proxy = await startEngine({ cover: site, settings, coverSettings: { proxyProtocol: 'v2' } });
    const header = 'PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n';
    expect(await askPeer(proxy.target.port, '127.0.0.5', header)).toContain('203.0.113.9');
    expect(await askPeer(proxy.target.port, '127.0.0.5', '')).toBe('refused');
    expect(await askPeer(proxy.target.port, '127.0.0.6', '')).toContain('127.0.0.6');
    expect(await askPeer(proxy.target.port, '127.0.0.6', header)).toBe('refused');
    await proxy.stop();
    await site.close();
  });
});

describe('without a cover', () => {
  let proxy: RunningEngine | undefined;
  afterEach(async () => proxy?.stop());

  test('strangers meet a reset, clients are served, and the failure is counted', async () => {
    const dc = await startFakeDc();
    proxy = await startEngine({ dc });
    expect(await provoke(proxy.target.port, Buffer.from('GET / HTTP/1.1\r\n\r\n'), false)).toMatchObject({
      answer: '',
      end: 'ECONNRESET',
    });
    const session = await connectEe(proxy.target, { key: KEY });
    expect(await session?.reqPq()).toBe(true);
    session?.peer.close();
    const { cover, handshakes } = await proxy.stats();
    expect(cover).toMatchObject({ lastDial: 'failed', failures: 1 });
    expect(handshakes).toMatchObject({ http: 1, ok: 1 });
    await dc.close();
  });

  test('a cover that is the proxy itself is refused before it is dialled', async () => {
    const port = await freePort();
    proxy = await startEngine({
      settings: { listen: { host: '0.0.0.0', port, backlog: 100 } },
      cover: { host: 'localhost', port },
    });
    expect((await provoke(port, Buffer.from('GET / HTTP/1.1\r\n\r\n'), false)).end).toBe('ECONNRESET');
    const { cover, connections } = await proxy.stats();
    expect(cover).toMatchObject({ lastDial: 'loop', failures: 1 });
    expect(connections.total).toBe(1);
  });

  test('a cover that leads back through another server is cut at the second turn', async () => {
    const router = net.createServer((socket) => {
      const onward = net.connect(proxy?.target.port ?? 0, '127.0.0.1');
      socket.pipe(onward).pipe(socket);
      socket.on('error', () => onward.destroy());
      onward.on('error', () => socket.resetAndDestroy());
    });
    await new Promise<void>((resolve) => router.listen(0, '127.0.0.1', resolve));
    proxy = await startEngine({ cover: { host: '127.0.0.1', port: (router.address() as net.AddressInfo).port } });
    await provoke(proxy.target.port, makeHello({ key: randomBytes(16) }), false);
    const { connections, handshakes } = await proxy.stats();
    expect(connections.total).toBe(2);
    expect(handshakes.loop).toBe(1);
    await new Promise((resolve) => router.close(resolve));
  });

  test('no more connections than allowed are handed to the cover', async () => {
    const held: net.Socket[] = [];
    const quiet = net.createServer((socket) => held.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => quiet.listen(0, '127.0.0.1', resolve));
    const cover = { host: '127.0.0.1', port: (quiet.address() as net.AddressInfo).port };
    proxy = await startEngine({ cover, limits: { coverConnections: 3 } });
    const peers: Peer[] = [];
    for (let at = 0; at < 8; at++) {
      const peer = await Peer.open(proxy.target);
      peer.send(Buffer.from('GET / HTTP/1.1\r\n'));
      peers.push(peer);
    }
    // Three are there, three wait for their turn, and for two there is no room to wait in.
    const refused = (): Peer[] => peers.filter((peer) => peer.ended === 'ECONNRESET');
    await expect.poll(() => refused().length).toBe(2);
    await expect.poll(() => held.length).toBe(3);
    expect((await proxy.stats()).cover.refusedAtCap).toBe(2);
    expect((await proxy.stats()).connections.cover).toBe(3);
    for (const socket of held.slice(0, 2)) socket.destroy();
    await expect.poll(() => held.length).toBe(5);
    expect(refused()).toHaveLength(2);
    for (const peer of peers) peer.socket.resetAndDestroy();
    await expect.poll(async () => (await proxy?.stats())?.connections.cover).toBe(0);
    for (const socket of held) socket.destroy();
    await new Promise((resolve) => quiet.close(resolve));
  });
});
