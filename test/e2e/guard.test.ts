import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { packRulings } from '../../src/lib/access/packed-rulings.ts';
import { parsePrefix, type Prefix } from '../../src/lib/access/prefix.ts';
import type { Verdict } from '../../src/lib/access/ruling.ts';
import type { GuardRules } from '../../src/daemon/supervisor/engine.ts';
import { KEY, type RunningEngine, startEngine } from '../support/engine.ts';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import { acceptsHello, appData, CCS, makeHello, Peer } from '../support/raw-client.ts';
import { clientOpening } from '../support/wire.ts';

let dc: FakeDc;
let site: net.Server;
let proxy: RunningEngine | undefined;

beforeAll(async () => {
  dc = await startFakeDc();
  site = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write('cover'));
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await dc.close();
  site.close();
});
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});

const BALANCED = { proxyProtocolFrom: ['127.0.0.1/32'], workers: 2 };

async function startProxy(options: Parameters<typeof startEngine>[0] = {}): Promise<RunningEngine> {
  const { port } = site.address() as net.AddressInfo;
  proxy = await startEngine({ dc, cover: { host: '127.0.0.1', port }, settings: BALANCED, ...options });
  return proxy;
}

/** Say something from an address, behind a balancer. */
async function say(address: string, opening: Buffer): Promise<Peer> {
  const peer = await Peer.open((proxy as RunningEngine).target);
  const [family, own] = address.includes(':') ? ['TCP6', '2001:db8::1'] : ['TCP4', '192.0.2.1'];
  peer.send(Buffer.concat([Buffer.from(`PROXY ${family} ${address} ${own} 4711 443\r\n`), opening]));
  return peer;
}

/** What a client with the right secret meets. */
async function meets(address: string): Promise<'proxy' | 'cover' | 'nothing'> {
  const hello = makeHello({ key: KEY });
  const peer = await say(address, hello);
  const first = await peer.until(() => peer.received[0] ?? null);
  const accepted = first === 0x16 && (await acceptsHello(peer, hello, KEY));
  const shown = peer.received.toString('latin1', 0, 5);
  peer.close();
  if (accepted) return 'proxy';
  if (shown === 'cover') return 'cover';
  expect([shown, peer.ended]).toEqual(['', 'ECONNRESET']);
  return 'nothing';
}

function rules(named: Partial<Record<keyof GuardRules, [string, Verdict | null, number?][]>>): GuardRules {
  const pack = (list: [string, Verdict | null, number?][] | undefined): GuardRules['bans'] =>
    list === undefined
      ? null
      : packRulings(
          list.map(([network, verdict, until]) => ({
            prefix: parsePrefix(network) as Prefix,
            verdict,
            until: until ?? null,
          })),
        );
  return { allowed: pack(named.allowed), bans: pack(named.bans), access: pack(named.access) };
}

const now = (): number => Math.floor(Date.now() / 1000);

describe('networks that are ruled of', () => {
  test('meet the cover or nothing, with the right secret too; others are not affected', async () => {
    const { engine, stats } = await startProxy();
    await engine.guard(
      rules({
        bans: [
          ['198.51.100.0/24', 'mask'],
          ['203.0.113.9', 'drop'],
          ['2001:db8:bad::/64', 'mask'],
        ],
        access: [
          ['198.51.0.0/16', 'drop'],
          ['198.51.7.0/24', null],
        ],
        allowed: [['198.51.100.7', null]],
      }),
    );
    const addresses = {
      '198.51.100.1': 'cover',
      '203.0.113.9': 'nothing',
      '203.0.113.8': 'proxy',
      '2001:db8:bad::1': 'cover',
      '2001:db8:bad:1::1': 'proxy',
      '198.51.101.1': 'nothing',
      '198.51.7.1': 'proxy',
      '198.51.100.7': 'proxy',
    };
    const seen = await Promise.all(Object.keys(addresses).map(async (address) => [address, await meets(address)]));
    expect(Object.fromEntries(seen)).toEqual(addresses);
    expect((await stats()).handshakes).toMatchObject({ ok: 0, banned: 4 });
    const asked = ['198.51.100.1', '203.0.113.9', '203.0.113.8', '198.51.100.7', '198.51.7.1'];
    const outlooks = await engine.outlooks(asked);
    expect(outlooks.map(({ verdict }) => verdict)).toEqual(['mask', 'drop', null, 'allowed', null]);
  });

  test('are let in again when the time is over; rules last over a new revision', async () => {
    const { engine, apply } = await startProxy();
    await engine.guard(
      rules({
        bans: [
          ['198.51.100.1', 'mask', now() + 2],
          ['198.51.100.2', 'mask'],
        ],
      }),
    );
    expect(await meets('198.51.100.1')).toBe('cover');
    await apply({ maxSkewSeconds: 100 });
    expect(await meets('198.51.100.2')).toBe('cover');
    await expect.poll(async () => meets('198.51.100.1'), { timeout: 5000 }).toBe('proxy');
    expect(await meets('198.51.100.2')).toBe('cover');
  });

  test('lose their open connections to a drop, and keep them under a mask', async () => {
    const { engine, stats } = await startProxy();
    const open = async (address: string): Promise<Peer> => {
      const hello = makeHello({ key: KEY });
      const peer = await say(address, hello);
      expect(await acceptsHello(peer, hello, KEY)).toBe(true);
      return peer;
    };
    const [masked, dropped] = [await open('198.51.100.1'), await open('198.51.100.2')];
    await engine.guard(
      rules({
        bans: [
          ['198.51.100.1', 'mask'],
          ['198.51.100.2', 'drop'],
        ],
      }),
    );
    expect(await dropped.end(1000)).toBe('ECONNRESET');
    expect(await masked.end(300)).toBeNull();
    expect((await stats()).closes.banned).toBe(1);
    masked.close();
  });
});

test('new connections come at the rate of their network; those beyond see the cover', async () => {
  await startProxy({ limits: { opened: { connections: 5, windowMs: 1000 } } });
  const results = [];
  for (let i = 0; i < 12; i++) results.push(await meets('198.51.100.1'));
  // Five at once, and what comes back in the time that this takes.
  expect(results.slice(0, 5)).toEqual(Array(5).fill('proxy'));
  expect(results.filter((each) => each === 'cover').length).toBeGreaterThan(0);
  expect(await meets('198.51.100.2')).toBe('proxy');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(await meets('198.51.100.1')).toBe('proxy');
});

describe('openings that tell of an attack', () => {
  const wrong = (): Buffer => makeHello({ key: randomBytes(16) });

  test('fill the bucket of their network, which is told at each step', async () => {
    const { offences } = await startProxy();
    for (let i = 0; i < 7; i++) (await say('198.51.100.1', wrong())).close();
    (await say('198.51.100.2', Buffer.from('GET / HTTP/1.1\r\nHost: cover.test\r\n\r\n'))).close();
    // 3, 6, 9, 12, 15, 18, 21 points: four steps of five.
    await expect.poll(() => offences.length).toBe(4);
    expect(offences.at(-1)).toMatchObject({
      host: '198.51.100.1',
      counts: { mac: 7, replay: 0 },
      good: false,
    });
    // A point goes away in a minute.
    expect(offences.at(-1)?.score).toBeCloseTo(21, 0);
  });

  test('count half where somebody has proved to know a secret', async () => {
    const { offences } = await startProxy();
    const hello = makeHello({ key: KEY });
    const peer = await say('198.51.100.1', hello);
    expect(await acceptsHello(peer, hello, KEY)).toBe(true);
    peer.send(Buffer.concat([CCS, appData(clientOpening('dd', 2, KEY).header)]));
    await expect.poll(async () => (await proxy?.stats())?.handshakes.ok).toBe(1);
    for (let i = 0; i < 7; i++) (await say('198.51.100.1', wrong())).close();
    await expect.poll(() => offences.length).toBe(2);
    expect(offences.at(-1)).toMatchObject({ good: true, counts: { mac: 7 } });
    expect(offences.at(-1)?.score).toBeCloseTo(10.5, 0);
    peer.close();
  });

  test('a replay weighs ten', async () => {
    const { offences } = await startProxy();
    const hello = makeHello({ key: KEY });
    const first = await say('198.51.100.1', hello);
    expect(await acceptsHello(first, hello, KEY)).toBe(true);
    first.close();
    (await say('198.51.100.9', hello)).close();
    await expect.poll(() => offences.at(-1)).toMatchObject({ host: '198.51.100.9', counts: { replay: 1 } });
  });
});
