import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EngineSettings } from '../../src/daemon/supervisor/engine.ts';
import { KEY, type RunningEngine, startEngine } from '../support/engine.ts';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import { connectEe, type Session } from '../support/raw-client.ts';

const SOON = { timeout: 10_000, interval: 50 };

let dc: FakeDc;
let proxy: RunningEngine;
const open: Session[] = [];

beforeEach(async () => {
  dc = await startFakeDc();
});
afterEach(async () => {
  for (const session of open.splice(0)) session.peer.close();
  await proxy.stop();
  await dc.close();
});

/** An engine that holds `warm` connections, after its first client, once they stand. */
async function start(warm: number, workers = 1): Promise<void> {
  const telegram: EngineSettings['telegram'] = {
    prefer: 'ipv4',
    dcs: { 2: [dc.endpoint], 4: [dc.endpoint] },
    fallbackDc: 2,
    connectMs: 2000,
  };
  proxy = await startEngine({ settings: { workers, warm, telegram } });
  expect(await enter()).toBe(true);
}

/** Whether one more client reaches Telegram; it stays. */
async function enter(): Promise<boolean> {
  const session = await connectEe(proxy.target, { key: KEY });
  if (session === null || !(await session.reqPq())) return false;
  open.push(session);
  return true;
}

async function held(): Promise<number | undefined> {
  return (await proxy.stats()).dcs[0]?.warm;
}

test('without the setting nothing is opened ahead', async () => {
  await start(0);
  expect(await enter()).toBe(true);
  expect(await held()).toBe(0);
  expect(dc.open).toBe(2);
});

test('connections are held for the data centre in use, given to clients, replaced and not counted as theirs', async () => {
  await start(3);
  await expect.poll(held, SOON).toBe(3);
  await expect.poll(() => dc.open, SOON).toBe(4);
  expect((await proxy.stats()).connections).toMatchObject({ current: 1, relayed: 1 });
  expect(await enter()).toBe(true);
  await expect.poll(held, SOON).toBe(3);
  await expect.poll(() => dc.open, SOON).toBe(5);
  expect(dc.strangers).toBe(0);
  // What stands is used when no new connection can be made; that its replacement failed makes the others suspect.
  dc.stopListening();
  expect([await enter(), await enter()]).toEqual([true, false]);
  expect(await held()).toBe(0);
});

test('the workers share the number between them', async () => {
  await start(4, 2);
  for (let turn = 0; turn < 30; turn++) expect(await enter()).toBe(true);
  await expect.poll(held, SOON).toBe(4);
  await expect.poll(() => dc.open, SOON).toBe(35);
});

describe.each(['FIN', 'RST'] as const)('a parked connection that the data centre ended by %s', (how) => {
  test('is not used, and replaced', async () => {
    await start(4);
    await expect.poll(() => dc.open, SOON).toBe(5);
    for (let turn = 0; turn < 5; turn++) {
      dc.cutSilent(how);
      expect(await enter()).toBe(true);
      await expect.poll(() => dc.open, SOON).toBe(open.length + 4);
    }
    await expect.poll(held, SOON).toBe(4);
    expect((await proxy.stats()).handshakes).toMatchObject({ ok: 6, dc_unreachable: 0 });
  });
});

test('a change of settings and draining close what is held', async () => {
  await start(3);
  await expect.poll(() => dc.open, SOON).toBe(4);
  await proxy.apply({ warm: 0 });
  await expect.poll(() => dc.open, SOON).toBe(1);
  expect(await held()).toBe(0);
  await proxy.apply({ warm: 3 });
  expect(await enter()).toBe(true);
  await expect.poll(() => dc.open, SOON).toBe(5);
  const drained = proxy.engine.drain(10_000);
  await expect.poll(() => dc.open, SOON).toBe(2);
  for (const session of open.splice(0)) session.peer.close();
  expect(await drained).toEqual({ cut: 0 });
});
