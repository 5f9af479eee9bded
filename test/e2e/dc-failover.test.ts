import { afterEach, expect, test } from 'vitest';
import type { DcAddressStats, Endpoint, EngineSettings } from '../../src/daemon/supervisor/engine.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { KEY, type RunningEngine, startEngine } from '../support/engine.ts';
import { startFakeDc } from '../support/fake-dc.ts';
import { connectEe } from '../support/raw-client.ts';
import { startSocks5 } from '../support/socks5.ts';

/** Of nobody else: while an address is dead, no other test may happen to listen there. */
const OWN_HOST = '127.0.0.77';

/** Every trial is over within 3 s, and its next one is a few seconds away. */
const TRIALS = { timeout: 30_000, interval: 200 };

let proxy: RunningEngine | undefined;
const closing: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
  for (const each of closing.splice(0)) await each.close();
});

async function use<Part extends { close: () => Promise<void> }>(part: Promise<Part>): Promise<Part> {
  const started = await part;
  closing.push(started);
  return started;
}

function telegram(...addresses: Endpoint[]): EngineSettings['telegram'] {
  return { prefer: 'ipv4', dcs: { 2: addresses }, fallbackDc: 2, connectMs: 4000 };
}

/** Whether a new client reaches Telegram. */
async function arrives(): Promise<boolean> {
  const session = await connectEe(proxy?.target ?? { host: '', port: 0 }, { key: KEY });
  const answered = (await session?.reqPq()) ?? false;
  session?.peer.close();
  return answered;
}

async function address(at: number): Promise<DcAddressStats | undefined> {
  return (await proxy?.stats())?.dcs[at];
}

function told(event: string): number {
  return proxy?.events.filter((each) => each.event === event).length ?? 0;
}

test('an address that swallows connects holds up one client at most, and is used again when it works', async () => {
  const hole = await startBlackHole(OWN_HOST);
  const dc = await use(startFakeDc());
  proxy = await startEngine({ settings: { workers: 2, telegram: telegram(hole.endpoint, dc.endpoint) } });
  const start = performance.now();
  expect(await arrives()).toBe(true);
  expect(performance.now() - start).toBeLessThan(3000);
  // With a second's head start for the first address these would take twenty.
  for (let turn = 0; turn < 20; turn++) expect(await arrives()).toBe(true);
  expect(performance.now() - start).toBeLessThan(12_000);
  expect(dc.openings).toHaveLength(21);

  await expect.poll(async () => (await address(0))?.opens, TRIALS).toBe(1);
  expect(await address(0)).toMatchObject({ dc: 2, ...hole.endpoint, lastError: 'ETIMEDOUT' });
  expect(await address(1)).toMatchObject({ ...dc.endpoint, state: 'closed', failures: 0, opens: 0, retryMs: null });
  expect(await arrives()).toBe(true);
  expect(told('dc_breaker_open')).toBe(1);

  await hole.close();
  const revived = await use(startFakeDc('frames', hole.endpoint.host, hole.endpoint.port));
  await expect.poll(async () => (await address(0))?.state, TRIALS).toBe('closed');
  expect(await address(0)).toMatchObject({ failures: 0, retryMs: null });
  expect(revived.openings).toEqual([]);
  expect(told('dc_breaker_closed')).toBe(1);
  expect(await arrives()).toBe(true);
  expect(revived.openings).toHaveLength(1);
}, 90_000);

test('an address that refuses opens without further clients, in one state for two workers', async () => {
  const gone = await startFakeDc('frames', OWN_HOST);
  await gone.close();
  const dc = await use(startFakeDc());
  proxy = await startEngine({ settings: { workers: 2, telegram: telegram(gone.endpoint, dc.endpoint) } });
  expect(await arrives()).toBe(true);
  await expect.poll(async () => (await address(0))?.state, TRIALS).toBe('open');
  expect(await address(0)).toMatchObject({ failures: 3, opens: 1, lastError: 'ECONNREFUSED' });
  expect((await address(0))?.retryMs).toBeGreaterThanOrEqual(0);
  expect(await Promise.all(Array.from({ length: 8 }, arrives))).toEqual(Array(8).fill(true));
  // A later trial fails: it stays open, and that is no news.
  await expect.poll(async () => (await address(0))?.opens, TRIALS).toBeGreaterThan(1);
  expect(told('dc_breaker_open')).toBe(1);
  expect(told('dc_breaker_closed')).toBe(0);
}, 60_000);

test('no client is refused because of a breaker alone', async () => {
  const gone = await startFakeDc('frames', OWN_HOST);
  await gone.close();
  proxy = await startEngine({ settings: { workers: 2, telegram: telegram(gone.endpoint) } });
  for (let turn = 0; turn < 4; turn++) expect(await arrives()).toBe(false);
  expect(await address(0)).toMatchObject({ opens: 1 });
  await use(startFakeDc('frames', gone.host, gone.port));
  expect(await arrives()).toBe(true);
  expect(await address(0)).toMatchObject({ state: 'closed', failures: 0 });
  expect((await proxy.stats()).handshakes).toMatchObject({ ok: 1, dc_unreachable: 4 });
});

test('an address is tried out through the SOCKS5 proxy', async () => {
  const socks = await use(startSocks5());
  const [gone, dc] = [await startFakeDc('frames', OWN_HOST), await use(startFakeDc())];
  await gone.close();
  const settings = {
    socks5: { host: socks.host, port: socks.port, username: 'someone', password: 'p' },
    telegram: telegram(gone.endpoint, dc.endpoint),
  };
  proxy = await startEngine({ settings });
  expect(await arrives()).toBe(true);
  await expect.poll(async () => (await address(0))?.state, TRIALS).toBe('open');
  await use(startFakeDc('frames', gone.host, gone.port));
  await expect.poll(async () => (await address(0))?.state, TRIALS).toBe('closed');
  expect(dc.openings).toHaveLength(1);
}, 60_000);

test('a breaker outlives a revision, and one whose address is gone is shown no more', async () => {
  const gone = await startFakeDc('frames', OWN_HOST);
  await gone.close();
  const dc = await use(startFakeDc());
  proxy = await startEngine({ settings: { workers: 1, telegram: telegram(gone.endpoint) } });
  for (let turn = 0; turn < 3; turn++) expect(await arrives()).toBe(false);
  await proxy.apply({ telegram: telegram(dc.endpoint) });
  expect((await proxy.stats()).dcs).toMatchObject([{ ...dc.endpoint, state: 'closed' }]);
  await proxy.apply({ telegram: telegram(dc.endpoint, gone.endpoint) });
  expect(await address(1)).toMatchObject({ ...gone.endpoint, opens: 1 });
});
