import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../fuzz/random.ts';
import { imbalances } from '../support/books.ts';
import { KEY, type RunningEngine, startEngine } from '../support/engine.ts';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import { echoThrough } from './chaos/clients.ts';
import { type PlainCover, startPlainCover } from '../support/plain-cover.ts';
import { compareBehindBalancer, compareStranger, type Difference, enterAndMisbehave } from './chaos/strangers.ts';

/** `MTP_CHAOS_SECONDS` and `MTP_CHAOS_SEED` make it longer, and other. */
const SECONDS = Number(process.env['MTP_CHAOS_SECONDS'] ?? 8);
const SEED = Number(process.env['MTP_CHAOS_SEED'] ?? 1);

let dc: FakeDc;
let cover: PlainCover;

beforeAll(async () => {
  [dc, cover] = await Promise.all([startFakeDc('echo'), startPlainCover()]);
});
afterAll(async () => {
  await Promise.all([dc.close(), cover.close()]);
});

/** Several of one kind at once, each with its own numbers, until the time is over; resolves to how many there were. */
async function crowd(count: number, seconds: number, act: (random: Random) => Promise<void>): Promise<number> {
  const until = Date.now() + seconds * 1000;
  let done = 0;
  const one = async (index: number): Promise<void> => {
    for (let turn = 0; Date.now() < until; turn++) {
      await act(new Random(SEED, index, turn));
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: count }, async (_, index) => one(index)));
  return done;
}

/** Nobody is left, nothing has failed, and every connection has ended in exactly one way. */
async function expectAllOver(proxy: RunningEngine): Promise<void> {
  await expect
    .poll(async () => (await proxy.stats()).connections, { timeout: 20_000 })
    .toMatchObject({ current: 0, relayed: 0, cover: 0 });
  expect(imbalances(await proxy.stats())).toEqual([]);
  expect(proxy.events.filter(({ level }) => level === 'error')).toEqual([]);
  expect(existsSync(`/proc/${proxy.pid}`)).toBe(true);
  await expect.poll(() => dc.open + cover.open(), { timeout: 20_000 }).toBe(0);
}

test(
  'among garbage clients get their bytes, and strangers get what the cover itself gives them',
  async () => {
    const proxy = await startEngine({ dc, cover });
    const differences: Difference[] = [];
    const faults: string[] = [];
    const [strangers, clients] = await Promise.all([
      crowd(12, SECONDS, async (random) => {
        const difference = await compareStranger(proxy.target, cover, KEY, random);
        if (difference !== null) differences.push(difference);
      }),
      crowd(3, SECONDS, async (random) => {
        const fault = await echoThrough(proxy.target, KEY, random);
        if (fault !== null) faults.push(fault);
      }),
      crowd(2, SECONDS, async (random) => enterAndMisbehave(proxy.target, KEY, random)),
    ]);
    expect(differences).toEqual([]);
    expect(faults).toEqual([]);
    expect(Math.min(strangers, clients)).toBeGreaterThan(10);
    await expectAllOver(proxy);
    await proxy.stop();
  },
  (SECONDS + 60) * 1000,
);

test('behind a balancer, broken PROXY headers end there, and good ones change nothing', async () => {
  const proxy = await startEngine({ dc, cover, settings: { proxyProtocolFrom: ['127.0.0.0/8'] } });
  const seen = { invalid: 0, complete: 0, incomplete: 0 };
  const differences: Difference[] = [];
  await crowd(8, Math.min(SECONDS, 4), async (random) => {
    const difference = await compareBehindBalancer(proxy.target, cover, random, (state) => (seen[state] += 1));
    if (difference !== null) differences.push(difference);
  });
  expect(differences).toEqual([]);
  expect(Math.min(seen.invalid, seen.complete)).toBeGreaterThan(5);
  await expectAllOver(proxy);
  await proxy.stop();
}, 60_000);
