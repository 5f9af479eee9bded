import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { probeCover } from '../../../src/lib/probe/cover.ts';
import { probeDc } from '../../../src/lib/probe/dc.ts';
import { probeHandshake } from '../../../src/lib/probe/handshake.ts';
import { bareTelegram, cover, fakeTlsProxy, type Peer, raw, resPq, tap } from './servers.ts';

const edges = { timeoutMs: 3000, random: randomBytes, now: Date.now };
const impatient = { ...edges, timeoutMs: 200 };
const key = randomBytes(16);
const open: Peer[] = [];

async function use<P extends Peer>(peer: Promise<P>): Promise<P> {
  open.push(await peer);
  return peer;
}

async function closedPort(): Promise<{ host: string; port: number }> {
  const peer = await raw(() => undefined);
  await peer.close();
  return peer;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map(async (peer) => peer.close()));
});

describe('DC probe', () => {
  it('a Telegram server answers', async () => {
    expect(await probeDc(await use(bareTelegram(null)), 2, edges)).toMatchObject({ ok: true });
  });
  it('a closed port is refused', async () => {
    expect(await probeDc(await closedPort(), 2, edges)).toEqual({ ok: false, reason: 'connection refused' });
  });
  it('a server that is silent gives no answer', async () => {
    const silent = await use(raw(() => undefined));
    expect(await probeDc(silent, 2, impatient)).toEqual({ ok: false, reason: 'no answer' });
  });
  it('a server that closes is not a DC', async () => {
    const closing = await use(raw((socket) => socket.on('data', () => socket.end())));
    expect(await probeDc(closing, 2, edges)).toEqual({ ok: false, reason: 'connection closed' });
  });
  it('other bytes are not the answer of a DC', async () => {
    const foreign = await use(raw((socket) => void socket.write(resPq(randomBytes(64)))));
    expect(await probeDc(foreign, 2, edges)).toEqual({
      ok: false,
      reason: 'the answer is not that of a Telegram server',
    });
  });
});

describe('handshake probe', () => {
  it('ee works with the right secret', async () => {
    const site = await use(cover({}));
    const proxy = await use(fakeTlsProxy(key, site));
    expect(await probeHandshake(proxy, { mode: 'ee', key, domain: 'cover.test' }, edges)).toMatchObject({
      layer: 'works',
      ok: true,
    });
  });
  it('ee with a wrong secret is shown the website', async () => {
    const site = await use(cover({}));
    const proxy = await use(fakeTlsProxy(key, site));
    const verdict = await probeHandshake(proxy, { mode: 'ee', key: randomBytes(16), domain: 'cover.test' }, edges);
    expect(verdict).toMatchObject({ layer: 'tls', ok: false, detail: 'the answer is that of a website' });
  });
  it.each(['dd', 'plain'] as const)('%s works with the right secret', async (mode) => {
    const proxy = await use(bareTelegram(key));
    expect(await probeHandshake(proxy, { mode, key, domain: '' }, edges)).toMatchObject({ layer: 'works', ok: true });
  });
  it('dd with a wrong secret ends at obfuscated2', async () => {
    const proxy = await use(bareTelegram(key));
    const verdict = await probeHandshake(proxy, { mode: 'dd', key: randomBytes(16), domain: '' }, edges);
    expect(verdict).toMatchObject({ layer: 'obfuscated2', ok: false, detail: 'connection closed' });
  });
  it('a closed port fails at tcp', async () => {
    const verdict = await probeHandshake(await closedPort(), { mode: 'dd', key, domain: '' }, edges);
    expect(verdict).toMatchObject({ layer: 'tcp', ok: false, detail: 'connection refused' });
  });
});

describe('cover probe', () => {
  /** What an observer would count: everything behind the ServerHello records and the CCS. */
  const encrypted = (seen: Buffer): number => {
    let bytes = 0;
    for (let at = 0; at < seen.length; at += 5 + seen.readUInt16BE(at + 3)) {
      if (seen[at] === 0x17) bytes += 5 + seen.readUInt16BE(at + 3);
    }
    return bytes;
  };
  it.each([
    ['X25519MLKEM768', true],
    ['X25519', false],
    ['P-256', false],
    ['P-384', false],
  ])('a site with %s is measured', async (ecdhCurve, postQuantum) => {
    const site = await use(tap(await use(cover({ ecdhCurve }))));
    const verdict = await probeCover(site, 'cover.test', edges);
    expect(verdict).toMatchObject({ ok: true, shape: { flightBytes: encrypted(site.seen()), postQuantum } });
    expect(encrypted(site.seen())).toBeGreaterThan(400);
  });
  it('a site with TLS 1.2 only is told apart', async () => {
    const site = await use(cover({ maxVersion: 'TLSv1.2' }));
    expect(await probeCover(site, 'cover.test', edges)).toEqual({
      ok: false,
      kind: 'not-tls13',
      reason: 'it does not negotiate TLS 1.3',
    });
  });
  it('a plain web server does not speak TLS', async () => {
    const site = await use(raw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    expect(await probeCover(site, 'cover.test', edges)).toMatchObject({ ok: false, kind: 'not-tls13' });
  });
  it('a closed port is unreachable', async () => {
    expect(await probeCover(await closedPort(), 'cover.test', edges)).toMatchObject({
      ok: false,
      kind: 'unreachable',
      reason: 'connection refused',
    });
  });
  it('a site behind a missing unix socket is unreachable', async () => {
    expect(await probeCover({ path: '/nonexistent/cover.sock' }, 'cover.test', edges)).toMatchObject({
      ok: false,
      kind: 'unreachable',
    });
  });
});
