import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EngineStats } from '../../src/daemon/supervisor/engine.ts';
import { KEY, type RunningEngine, startEngine } from '../support/engine.ts';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import { connectEe, type Session } from '../support/raw-client.ts';

const preload = fileURLToPath(new URL('fixtures/crash-on-demand.ts', import.meta.url));
const CLIENTS = 16;

let dir: string;
let dc: FakeDc;
let proxy: RunningEngine;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-crash-'));
  vi.stubEnv('NODE_OPTIONS', `--import ${preload}`);
  vi.stubEnv('MTP_TEST_CRASH', path.join(dir, 'now'));
  dc = await startFakeDc();
  proxy = await startEngine({ dc, limits: { perSource: CLIENTS } });
  vi.unstubAllEnvs();
});

afterEach(async () => {
  await proxy.stop();
  await dc.close();
  await rm(dir, { recursive: true });
});

const sum = (counts: Record<string, number>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

function expectBooksToBalance({ connections, closes, handshakes }: EngineStats): void {
  expect(connections.total).toBe(connections.current + sum(closes));
  expect(sum(handshakes)).toBe(connections.total);
}

async function connected(): Promise<Session[]> {
  const sessions = await Promise.all(
    Array.from({ length: CLIENTS }, async () => connectEe(proxy.target, { key: KEY })),
  );
  return sessions.filter((session) => session !== null);
}

const answering = async (sessions: Session[]): Promise<Session[]> => {
  const answers = await Promise.all(sessions.map(async (session) => session.reqPq()));
  return sessions.filter((_, at) => answers[at]);
};

test('a worker that crashes takes only its own connections along, and another takes its place', async () => {
  const before = await connected();
  expect(await answering(before)).toHaveLength(CLIENTS);

  await writeFile(path.join(dir, 'now'), '');
  await vi.waitFor(async () => expect((await proxy.stats()).workerFailures).toBe(1), 10_000);

  const survivors = await answering(before);
  expect(survivors.length).toBeGreaterThan(0);
  expect(survivors.length).toBeLessThan(CLIENTS);
  const lost = CLIENTS - survivors.length;
  expect(proxy.events.filter(({ event }) => event === 'worker_failed')).toEqual([
    {
      level: 'error',
      event: 'worker_failed',
      detail: { worker: 0, connections: lost, cause: expect.stringContaining('crashed on demand') as string },
    },
  ]);
  const stats = await proxy.stats();
  expect(stats.connections).toMatchObject({ current: survivors.length, relayed: survivors.length });
  expect(stats.closes.worker).toBe(lost);
  expectBooksToBalance(stats);

  // What the lost connections took from the limit of their source is free again.
  for (const session of survivors) session.peer.close();
  await vi.waitFor(async () => expect((await proxy.stats()).connections.current).toBe(0), 10_000);
  await vi.waitFor(() => expect(proxy.events.map(({ event }) => event)).toContain('worker_restarted'), 10_000);
  expect(await answering(await connected())).toHaveLength(CLIENTS);

  // The worker that took its place serves its share: its end is felt again.
  await writeFile(path.join(dir, 'now'), '');
  await vi.waitFor(async () => expect((await proxy.stats()).workerFailures).toBe(2), 10_000);
  const again = await proxy.stats();
  expect(again.closes.worker).toBeGreaterThan(lost);
  expectBooksToBalance(again);
});

test('with one of three workers gone sessions of the others live, newcomers enter, and an address keeps its limit', async () => {
  await proxy.stop();
  vi.stubEnv('NODE_OPTIONS', `--import ${preload}`);
  vi.stubEnv('MTP_TEST_CRASH', path.join(dir, 'now'));
  proxy = await startEngine({ dc, limits: { perSource: CLIENTS }, settings: { workers: 3 } });
  vi.unstubAllEnvs();
  const before = await connected();
  expect(await answering(before)).toHaveLength(CLIENTS);

  await writeFile(path.join(dir, 'now'), '');
  await vi.waitFor(async () => expect((await proxy.stats()).workerFailures).toBe(1), 10_000);
  const survivors = await answering(before);
  const lost = CLIENTS - survivors.length;
  expect(lost).toBeGreaterThan(0);
  expect(survivors.length).toBeGreaterThan(0);

  // As many as were lost come in again, beside those that stayed, and not one more.
  const newcomers = await answering(await connected());
  expect(newcomers).toHaveLength(lost);
  expect(await answering(survivors)).toHaveLength(survivors.length);
  expectBooksToBalance(await proxy.stats());
  for (const session of [...survivors, ...newcomers]) session.peer.close();
});

test('a worker that crashes while the engine is drained is not waited for', async () => {
  const sessions = await connected();
  expect(await answering(sessions)).toHaveLength(CLIENTS);
  const started = performance.now();
  const drained = proxy.engine.drain(60_000);
  await writeFile(path.join(dir, 'now'), '');
  await vi.waitFor(async () => expect((await proxy.stats()).workerFailures).toBe(1), 10_000);
  for (const session of sessions) session.peer.close();
  expect(await drained).toEqual({ cut: 0 });
  expect(performance.now() - started).toBeLessThan(30_000);
  expectBooksToBalance(await proxy.stats());
});
