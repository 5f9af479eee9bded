import net, { type AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DcBreakers, monotonicMs } from '../../../src/daemon/engine/dc-breakers.ts';
import { DcSlots } from '../../../src/daemon/engine/dc-slots.ts';
import { DcWarm } from '../../../src/daemon/engine/dc-warm.ts';
import type { Plane } from '../../../src/daemon/engine/plane.ts';
import { fail } from '../../../src/daemon/engine/shared/breaker.ts';
import { BreakerTable } from '../../../src/daemon/engine/shared/breakers.ts';
import { WarmCounts } from '../../../src/daemon/engine/shared/warm-counts.ts';
import { Wheel } from '../../../src/daemon/engine/wheel.ts';
import type { Endpoint } from '../../../src/daemon/supervisor/engine.ts';

/** The shelf of one worker by itself, so that its times can be short. */

const SOON = { timeout: 10_000, interval: 20 };

let server: net.Server;
let sockets: net.Socket[];
let accepted: number;
let wheel: Wheel;
let table: BreakerTable;
let counts: WarmCounts;
let endpoints: Endpoint[];
let plane: Plane;

beforeEach(async () => {
  sockets = [];
  accepted = 0;
  server = net.createServer((socket) => {
    accepted += 1;
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.splice(sockets.indexOf(socket), 1));
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoints = [{ host: '127.0.0.1', port: (server.address() as AddressInfo).port }];
  wheel = new Wheel();
  table = BreakerTable.create();
  counts = WarmCounts.create(1);
  const telegram = { prefer: 'ipv4', dcs: { 2: endpoints }, fallbackDc: null, connectMs: 2000 };
  const slots = new DcSlots().assign(telegram.dcs);
  const edges = { now: monotonicMs, random: Math.random, tell: () => undefined };
  plane = {
    settings: { warm: 2, workers: 1, telegram, socks5: null },
    wheel,
    breakers: new DcBreakers(table, slots, edges),
  } as unknown as Plane;
});
afterEach(async () => {
  wheel.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** A shelf with its two connections. */
async function stocked(times?: { ageMs: number; unusedMs: number }): Promise<DcWarm> {
  const warm = new DcWarm(0, counts.row(0), times);
  expect(warm.take(plane, endpoints)).toBeNull();
  await expect.poll(() => counts.total(0), SOON).toBe(2);
  return warm;
}

test('a connection that is too old is closed and replaced', async () => {
  const warm = await stocked({ ageMs: 500, unusedMs: 60_000 });
  await expect
    .poll(() => {
      warm.sweep(plane);
      return accepted;
    }, SOON)
    .toBeGreaterThanOrEqual(6);
  expect(counts.total(0)).toBeLessThanOrEqual(2);
  warm.close();
  await expect.poll(() => sockets.length, SOON).toBe(0);
});

test('nothing is held for a data centre that nobody uses any more', async () => {
  const warm = await stocked({ ageMs: 60_000, unusedMs: 500 });
  await expect
    .poll(() => {
      warm.sweep(plane);
      return sockets.length;
    }, SOON)
    .toBe(0);
  expect([accepted, counts.total(0)]).toEqual([2, 0]);
});

test.each(['end', 'resetAndDestroy', 'speak'] as const)(
  'what the other side did by %s is not given out',
  async (how) => {
    const warm = await stocked();
    for (const socket of sockets) {
      if (how === 'speak') socket.write('x');
      else socket[how]();
    }
    await expect.poll(() => sockets.length, SOON).toBe(0);
    server.close();
    expect(warm.take(plane, endpoints)).toBeNull();
    expect(counts.total(0)).toBe(0);
    warm.close();
  },
);

test('what the kernel knows counts before the event loop tells of it', async () => {
  const warm = await stocked();
  for (const socket of sockets) socket.resetAndDestroy();
  expect(warm.take(plane, endpoints)).toBeNull();
  warm.close();
});

test('connections to an address whose breaker opened are not given out', async () => {
  const warm = await stocked();
  for (let count = 0; count < 3; count++) table.change(0, (row) => fail(row, monotonicMs(), 0.5, false));
  expect(warm.take(plane, endpoints)).toBeNull();
  warm.close();
});

test('a connection that is good is given out once, and another takes its place', async () => {
  const warm = await stocked();
  const [one, two] = [warm.take(plane, endpoints), warm.take(plane, endpoints)];
  expect(one).not.toBeNull();
  expect(two).not.toBe(one);
  await expect.poll(() => [counts.total(0), accepted], SOON).toEqual([2, 4]);
  one?.destroy();
  two?.destroy();
  warm.close();
  await expect.poll(() => sockets.length, SOON).toBe(0);
});
