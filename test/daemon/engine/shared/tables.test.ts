import { randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { compactReplays, loadReplays } from '../../../../src/daemon/engine/replay-store.ts';
import { doubt, fail } from '../../../../src/daemon/engine/shared/breaker.ts';
import { BREAKER_ROWS, BreakerTable } from '../../../../src/daemon/engine/shared/breakers.ts';
import { Counters } from '../../../../src/daemon/engine/shared/counters.ts';
import { Gauges } from '../../../../src/daemon/engine/shared/gauges.ts';
import { KeyPoints } from '../../../../src/daemon/engine/shared/key-points.ts';
import { breakLock, lock } from '../../../../src/daemon/engine/shared/lock.ts';
import { LoopFilter } from '../../../../src/daemon/engine/shared/loop-filter.ts';
import { ReplayTable } from '../../../../src/daemon/engine/shared/replay.ts';
import { sourceOf } from '../../../../src/daemon/engine/shared/source.ts';
import { SourceTable } from '../../../../src/daemon/engine/shared/sources.ts';

const seed = [1, 2] as const;
const script = fileURLToPath(new URL('fixtures/hammer.ts', import.meta.url));

/** Run the same work in four threads and collect what each returns. */
async function hammer(
  work: 'sources' | 'replay' | 'gauge' | 'points' | 'claims',
  memory: SharedArrayBuffer,
  data: unknown = null,
): Promise<number[]> {
  return Promise.all(
    Array.from(
      { length: 4 },
      async (_, worker) =>
        new Promise<number>((resolve, reject) => {
          const thread = new Worker(script, { workerData: { work, memory, worker, data } });
          thread.once('message', resolve);
          thread.once('error', reject);
        }),
    ),
  );
}

describe('connections per source', () => {
  test('the limit is exact across threads, and everything is given back', async () => {
    const { memory } = SourceTable.create(100, 4);
    const highest = await hammer('sources', memory);
    const table = SourceTable.attach(memory, 4, 0);
    expect(Math.max(...highest)).toBeLessThanOrEqual(5);
    expect(Math.max(...highest)).toBeGreaterThan(0);
    const source = sourceOf('192.0.2.1', seed);
    for (let at = 0; at < 5; at++) expect(table.acquire(source, 5, 1)).toBe('counted');
    expect(table.acquire(source, 5, 1)).toBe('over');
  });

  test('as many sources as connections are allowed all find room', () => {
    const table = SourceTable.attach(SourceTable.create(5000, 2).memory, 2, 0);
    for (let at = 0; at < 5000; at++) {
      expect(table.acquire(sourceOf(`10.${at >> 8}.${at & 255}.1`, seed), 1, 1)).toBe('counted');
    }
  });

  test('a full bucket lets a source in uncounted, and gives up the one that left longest ago first', () => {
    const table = SourceTable.attach(SourceTable.create(1, 2).memory, 2, 1);
    const at = (number: number): ReturnType<typeof sourceOf> => sourceOf(`192.0.2.${number}`, seed);
    for (let number = 0; number < 8; number++) expect(table.acquire(at(number), 1, number)).toBe('counted');
    expect(table.acquire(at(100), 1, 9)).toBe('uncounted');
    table.release(at(4));
    table.release(at(2));
    table.remember(at(4), 7);
    expect(table.acquire(at(101), 1, 10)).toBe('counted');
    expect(table.remembered(at(4))).toBe(7);
    expect(table.remembered(at(2))).toBeNull();
  });

  test('an address is one source however it is written, and an IPv6 /64 is one', () => {
    const same = (a: string, b: string): boolean =>
      JSON.stringify(sourceOf(a, seed)) === JSON.stringify(sourceOf(b, seed));
    expect(same('192.0.2.1', '::ffff:192.0.2.1')).toBe(true);
    expect(same('192.0.2.1', '192.0.2.2')).toBe(false);
    expect(same('2001:db8::1', '2001:db8:0:0:ffff::2')).toBe(true);
    expect(same('2001:db8::1', '2001:db8:0:1::1')).toBe(false);
    expect(same('fe80::1%eth0', 'fe80::2')).toBe(true);
  });
});

describe('what a worker that has ended held', () => {
  test('connections of its sources are given back, those of others are not', () => {
    const { memory } = SourceTable.create(100, 2);
    const [dead, alive] = [SourceTable.attach(memory, 2, 0), SourceTable.attach(memory, 2, 1)];
    const source = sourceOf('192.0.2.1', seed);
    for (const table of [dead, dead, alive]) expect(table.acquire(source, 3, 1)).toBe('counted');
    expect(alive.acquire(source, 3, 1)).toBe('over');
    alive.releaseWorker(0);
    for (let at = 0; at < 2; at++) expect(alive.acquire(source, 3, 1)).toBe('counted');
    expect(alive.acquire(source, 3, 1)).toBe('over');
  });

  test('a lock that it died with is broken, and no other', () => {
    const cells = new Int32Array(new SharedArrayBuffer(8));
    lock(cells, 0, 0);
    lock(cells, 1, 1);
    for (const index of [0, 1]) breakLock(cells, index, 0);
    expect([...cells]).toEqual([0, 3]);
  });

  test('its share of the gauges goes, and its open connections are settled', () => {
    const gauges = Gauges.create(2);
    gauges.row(0).add('sessions', 3);
    gauges.row(1).add('sessions', 2);
    expect(gauges.row(0).take('connections', 10)).toBe(true);
    gauges.release(0);
    expect([gauges.get('sessions'), gauges.get('connections')]).toEqual([2, 0]);
    const counters = Counters.create(2);
    const row = counters.row(0);
    row.add('accepted', 5);
    for (const result of ['ok', 'ok', 'bad_hmac'] as const) row.result(result);
    row.close('client');
    expect(row.abandon()).toBe(4);
    expect(counters.closes()).toMatchObject({ client: 1, worker: 4 });
    expect(counters.results()).toMatchObject({ ok: 2, bad_hmac: 1, aborted: 2 });
  });

  test('an opening that it had out at the cover is no loop any more', () => {
    const { memory } = LoopFilter.create(2);
    const [dead, alive] = [LoopFilter.attach(memory, 0), LoopFilter.attach(memory, 1)];
    dead.enter(7);
    alive.enter(7);
    expect(alive.count(7)).toBe(2);
    alive.release(0);
    expect(alive.count(7)).toBe(1);
  });
});

describe('replays', () => {
  test('of four threads one enters a digest', async () => {
    const table = ReplayTable.create(65_536);
    const digests = randomBytes(16 * 1000);
    const entered = await hammer('replay', table.memory, digests);
    expect(entered.reduce((sum, count) => sum + count, 0)).toBe(1000);
    expect(table.entries).toBe(1000);
  });

  test('a digest may come again when it has expired', () => {
    const table = ReplayTable.create(64);
    const digest = randomBytes(16);
    expect(table.enter(digest, 100, 200)).toBe(true);
    expect(table.enter(digest, 199, 300)).toBe(false);
    expect(table.enter(digest, 200, 300)).toBe(true);
  });

  test('a full table gives up its oldest entries and counts them', () => {
    const table = ReplayTable.create(8);
    const digests = Array.from({ length: 10 }, () => randomBytes(16));
    digests.forEach((digest, at) => expect(table.enter(digest, 100, 200 + at)).toBe(true));
    expect(table.evicted).toBe(2);
    expect(table.enter(digests[9] ?? randomBytes(16), 100, 300)).toBe(false);
    expect(table.enter(digests[0] ?? randomBytes(16), 100, 300)).toBe(true);
  });

  test('what the journal holds is known again, a torn last row is not, and compaction drops what expired', async () => {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-replay-'));
    const file = path.join(dir, 'journal');
    const [old, live, torn] = [randomBytes(12), randomBytes(12), randomBytes(12)];
    const row = (digest: Buffer, expires: number): Buffer => {
      const time = Buffer.alloc(4);
      time.writeInt32LE(expires);
      return Buffer.concat([digest, time]);
    };
    await writeFile(file, Buffer.concat([row(old, 50), row(live, 500), row(live, 500)]));
    await appendFile(file, row(torn, 500).subarray(0, 9));
    const table = ReplayTable.create(64);
    loadReplays(file, table, 100);
    expect(table.entries).toBe(1);
    expect(table.enter(live, 100, 900)).toBe(false);
    expect(table.enter(torn, 100, 900)).toBe(true);
    expect(await compactReplays(file, table, 100)).toBe(true);
    const again = ReplayTable.create(64);
    loadReplays(file, again, 100);
    expect(again.entries).toBe(2);
    expect(await compactReplays(file, again, 100)).toBe(false);
    await rm(dir, { recursive: true });
  });
});

test('four threads take every key once', async () => {
  const points = KeyPoints.create(4096);
  for (let count = 0; points.room > 0; count++) {
    const point = Buffer.alloc(32);
    point.writeUInt32LE(count);
    points.put(point);
  }
  const taken = await hammer('points', points.memory);
  expect(taken.reduce((sum, part) => sum + part, 0)).toBe((4096 * 4095) / 2);
  expect(points.take()).toBeNull();
  expect(points.room).toBe(4096);
});

test('a gauge never goes over its limit, whichever thread takes', async () => {
  const gauges = Gauges.create(4);
  const taken = await hammer('gauge', gauges.memory);
  expect(taken.reduce((sum, count) => sum + count, 0)).toBe(1000);
  expect(gauges.get('connections')).toBe(1000);
});

describe('breakers', () => {
  test('each trial goes to one of four threads', async () => {
    const table = BreakerTable.create();
    for (let slot = 0; slot < BREAKER_ROWS; slot++) table.change(slot, (row) => doubt(row, 50));
    const taken = await hammer('claims', table.memory);
    expect(taken.reduce((sum, count) => sum + count, 0)).toBe(BREAKER_ROWS);
  });

  test('what one instance notes the other reads, and rows do not touch', () => {
    const [one, other] = [BreakerTable.create()].flatMap((table) => [table, BreakerTable.attach(table.memory, 0)]);
    for (let count = 0; count < 3; count++) one?.change(7, (row) => fail(row, 100.5, 0.5, false), 'ETIMEDOUT');
    expect(other?.read(7)).toMatchObject({
      state: 'open',
      failures: 3,
      opens: 1,
      lastError: 'ETIMEDOUT',
      until: 1100.5,
    });
    const untouched = { state: 'closed', failures: 0, opens: 0, streak: 0, until: 0, lastError: null };
    expect([other?.read(6), other?.read(8)]).toEqual([untouched, untouched]);
    one?.change(255, (row) => fail(row, 1, 0, false), 'ESOMETHING');
    expect(other?.read(255)).toMatchObject({ failures: 1, lastError: 'other' });
  });
});
