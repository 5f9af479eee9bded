import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { notifyDaemon } from '../../../src/lib/control/client.ts';
import { findUsage } from '../../../src/lib/usage/read.ts';
import { resetUsage } from '../../../src/lib/usage/reset.ts';
import { removeUser, setUser } from '../../../src/lib/users/store.ts';
import { NO_LIMITS } from '../../../src/lib/users/user.ts';
import { connectEe, type Session } from '../../support/raw-client.ts';
import { World } from './world.ts';

const QUOTA = 200_000;
const CHUNK = 5_000;

let world: World;
const open: Session[] = [];

beforeEach(async () => {
  world = await World.create('1s');
});
afterEach(async () => {
  for (const session of open.splice(0)) session.peer.close();
  await world.close();
});

async function enter(key: Buffer): Promise<Session | null> {
  const session = await connectEe({ host: '127.0.0.1', port: world.port }, { key }).catch(() => null);
  if (session !== null) open.push(session);
  return session;
}

/** Send until the proxy ends it, no more than `most` bytes; the result is what came back. */
async function talk(session: Session | null, most: number): Promise<number> {
  let back = 0;
  while (session !== null && back < most) {
    session.send(randomBytes(CHUNK));
    if ((await session.read(CHUNK)) === null) break;
    back += CHUNK;
  }
  return back;
}

test('a quota cuts its user within a second, over restarts, until it is there again', { timeout: 90_000 }, async () => {
  const quota = { bytes: QUOTA, period: 'day', start: Date.now() } as const;
  const bob = await world.add('bob', { limits: { ...NO_LIMITS, quota } });
  const ann = await world.add('ann');
  await world.start();
  const [first, other] = [await enter(bob.key), await enter(ann.key)];
  expect(await talk(first, QUOTA / 2 - CHUNK)).toBe(QUOTA / 2 - CHUNK);
  expect(first?.peer.ended).toBeNull();
  // The last bytes that may pass, and some more.
  await talk(first, 2 * CHUNK);
  const used = performance.now();
  await first?.peer.until(() => first.peer.ended, 2000);
  const cutAfter = performance.now() - used;
  expect(first?.peer.ended).not.toBeNull();
  process.stdout.write(`quota: cut ${Math.round(cutAfter)} ms after it was used up\n`);
  expect(await enter(bob.key)).toBeNull();
  expect(await talk(other, 3 * CHUNK)).toBe(3 * CHUNK);

  // A new engine counts from nothing, and knows nevertheless.
  await sleep(1500);
  expect(await world.killEngine()).toBe(true);
  await expect.poll(async () => (await enter(ann.key)) !== null, { timeout: 15_000 }).toBe(true);
  await expect.poll(async () => enter(bob.key), { timeout: 2000 }).toBeNull();
  await world.stop();
  await world.start();
  expect(await enter(ann.key)).not.toBeNull();
  await expect.poll(async () => enter(bob.key), { timeout: 2000 }).toBeNull();

  await resetUsage(world.paths, 'bob', Date.now());
  await notifyDaemon(world.paths);
  const again = await enter(bob.key);
  expect(await talk(again, 2 * CHUNK)).toBe(2 * CHUNK);
  await setUser(world.paths, 'bob', ({ limits }) => ({ limits: { ...limits, quota: { ...quota, bytes: CHUNK } } }));
  await notifyDaemon(world.paths);
  await again?.peer.until(() => again.peer.ended, 5000);
  expect(await enter(bob.key)).toBeNull();
  await setUser(world.paths, 'bob', ({ limits }) => ({ limits: { ...limits, quota: null } }));
  await notifyDaemon(world.paths);
  expect(await talk(await enter(bob.key), 2 * CHUNK)).toBe(2 * CHUNK);
  expect((await findUsage(world.paths, 'bob', Date.now())).used.up).toBeGreaterThanOrEqual(QUOTA / 2);
});

test('what a user moved before they were removed is in the ledger', { timeout: 60_000 }, async () => {
  const bob = await world.add('bob');
  await world.add('ann');
  await world.start();
  expect(await talk(await enter(bob.key), 10 * CHUNK)).toBe(10 * CHUNK);
  await removeUser(world.paths, 'bob');
  await notifyDaemon(world.paths);
  await world.stop();
  expect(await world.counted()).toMatchObject({ month: { up: 10 * CHUNK, down: 10 * CHUNK } });
});
