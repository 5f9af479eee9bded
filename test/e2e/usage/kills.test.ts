import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { seeded } from '../../support/random.ts';
import { Traffic } from './traffic.ts';
import { World } from './world.ts';

/** MTP_USAGE_KILLS and MTP_USAGE_SEED choose how often, and in which order, processes are killed. */
const KILLS = Number(process.env['MTP_USAGE_KILLS'] ?? 6);
const SEED = Number(process.env['MTP_USAGE_SEED'] ?? randomInt(2 ** 31));
const INTERVAL_MS = 1000;
/** A loaded machine does some things late. */
const LATE_MS = 1000;

let world: World | undefined;
const clients: Traffic[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) await client.stop();
  await world?.close();
});

const total = (of: (client: Traffic) => number): number => clients.reduce((sum, client) => sum + of(client), 0);

test(`kill -9 at ${KILLS} random points (seed ${SEED})`, { timeout: 60_000 + KILLS * 10_000 }, async () => {
  const random = seeded(SEED);
  world = await World.create(`${INTERVAL_MS}ms`);
  const target = { host: '127.0.0.1', port: world.port };
  const users = [await world.add('ann'), await world.add('bob')];
  await world.start();
  for (const { key } of [...users, ...users]) clients.push(new Traffic(target, key, random));
  for (const client of clients) client.start();

  /** What may be missing: moved by an engine that was killed, after what was safe until then. */
  let mayMiss = 0;
  let [within, inInterval] = [0, 0];
  let enginesInARow = 0;
  let engines = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(300 + random() * 1500);
    const engine = enginesInARow < 2 && random() < 0.5;
    const dead = !engine;
    let safe = await world.safeUntil();
    if (dead) {
      await world.killDaemon();
      enginesInARow = 0;
      await sleep(random() * 2500);
    }
    // The engine of a daemon that was killed is killed too now and then.
    if (engine || random() < 0.3) {
      safe = Math.max(safe, await world.safeUntil());
      await sleep(random() * 200);
      const before = total((client) => client.returnedBy());
      if (await world.killEngine()) {
        const at = Date.now();
        engines += 1;
        enginesInARow += 1;
        // Some came back while it was killed.
        const after = total((client) => client.returnedBy(at));
        mayMiss += after - total((client) => client.returnedBy(safe));
        within += after - total((client) => client.returnedBy(at - INTERVAL_MS));
        inInterval += after - total((client) => client.returnedBy(at - INTERVAL_MS - LATE_MS));
        expect(after).toBeGreaterThanOrEqual(before);
      }
    }
    if (dead) await world.start();
    const { up, down } = (await world.counted()).month;
    expect(up).toBeLessThanOrEqual(total(({ sent }) => sent));
    expect(down).toBeLessThanOrEqual(total(({ sent }) => sent));
  }
  await sleep(500);
  for (const client of clients) await client.stop();
  await world.stop();

  const { hour, day, month, period } = await world.counted();
  expect({ hour, day, period }).toEqual({ hour: month, day: month, period: month });
  const [sent, returned] = [total((client) => client.sent), total((client) => client.returnedBy())];
  for (const bytes of [month.up, month.down]) {
    expect(bytes).toBeLessThanOrEqual(sent);
    expect(bytes).toBeGreaterThanOrEqual(returned - mayMiss);
    expect(bytes).toBeGreaterThanOrEqual(returned - inInterval);
  }
  expect(returned).toBeGreaterThan(100_000);
  const missing = returned - Math.min(month.up, month.down);
  process.stdout.write(
    `usage: seed ${SEED}, ${KILLS} kills (${engines} of engines), ${sent} bytes sent, ${returned} back, ` +
      `up ${month.up}, down ${month.down}, missing ${missing}; moved in the ${INTERVAL_MS} ms before: ${within}, since the last flushes: ${mayMiss}\n`,
  );
});
