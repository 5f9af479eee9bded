import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Endpoint, Mode } from '../../src/daemon/supervisor/engine.ts';
import { probeHandshake } from '../../src/lib/probe/handshake.ts';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import { KEY, me, type RunningEngine, startEngine } from '../support/engine.ts';

const EDGES = { timeoutMs: 4000, random: randomBytes, now: Date.now };

let dc: FakeDc;
let proxy: RunningEngine;
beforeEach(async () => {
  dc = await startFakeDc();
});
afterEach(async () => {
  await proxy.stop();
  await dc.close();
});

/** A handshake; `claimed` says where the engine is told that our own come from. */
async function handshake(
  mode: Mode,
  claimed?: (local: Endpoint) => Endpoint,
): Promise<{ ok: boolean; from: Endpoint }> {
  let from: Endpoint = { host: '', port: 0 };
  const connected = async (local: Endpoint): Promise<void> => {
    from = local;
    if (claimed !== undefined) await proxy.engine.claim(claimed(local));
  };
  const { ok } = await probeHandshake(proxy.target, { mode, key: KEY, domain: 'cover.test' }, { ...EDGES, connected });
  return { ok, from };
}

async function figures(): Promise<{ total: number; ok: number; closed: number; seen: number; bytes: number }> {
  const { connections, handshakes, closes, bytes } = await proxy.stats();
  const { rows } = await proxy.engine.usage();
  const closed = Object.values(closes).reduce((sum, count) => sum + count, 0);
  return { total: connections.total, ok: handshakes.ok, closed, seen: rows.length, bytes: bytes.up + bytes.down };
}

async function settled(): Promise<void> {
  await expect.poll(async () => (await proxy.stats()).connections.current).toBe(0);
}

const NOTHING = { total: 0, ok: 0, closed: 0, seen: 0, bytes: 0 };

test.each(['ee', 'dd', 'plain'] as const)('in %s a handshake that the daemon names is in no figures', async (mode) => {
  proxy = await startEngine({ dc, settings: { modes: [mode], transports: ['padded', 'intermediate'] } });
  const own = await handshake(mode, (local) => local);
  expect([own.ok, await proxy.engine.fate(own.from)]).toEqual([true, 'ok']);
  await settled();
  expect(await figures()).toEqual(NOTHING);
  expect((await handshake(mode)).ok).toBe(true);
  await settled();
  expect(await figures()).toMatchObject({ total: 1, ok: 1, closed: 1, seen: 2 });
});

test('nobody else passes for one, be it from the address or from the port that was named', async () => {
  proxy = await startEngine({ dc, settings: { modes: ['dd'] } });
  await handshake('dd', ({ host, port }) => ({ host, port: port === 65_535 ? 1024 : port + 1 }));
  await handshake('dd', ({ port }) => ({ host: '127.0.0.2', port }));
  await settled();
  expect(await figures()).toMatchObject({ total: 2, ok: 2, closed: 2, seen: 2 });
});

test('it stands within the limits of its user, and the engine says which had no room', async () => {
  const users = [{ ...me, limits: { ...me.limits, networks: 0 } }];
  proxy = await startEngine({ dc, users, settings: { modes: ['dd'] } });
  const own = await handshake('dd', (local) => local);
  expect([own.ok, await proxy.engine.fate(own.from)]).toEqual([false, 'networks']);
  await settled();
  expect(await figures()).toEqual(NOTHING);
});
