import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadAccess } from '../../../src/lib/access/load.ts';
import { rulingAt } from '../../../src/lib/access/packed-rulings.ts';
import { addressWords, parsePrefix, type Prefix } from '../../../src/lib/access/prefix.ts';
import { readRuleWish } from '../../../src/lib/access/rule-wish.ts';
import { keepRules } from '../../../src/lib/access/store.ts';
import { Guard } from '../../../src/daemon/guard/guard.ts';
import type { GuardRules, Offence } from '../../../src/daemon/supervisor/engine.ts';
import { allowNetworks, banNetworks, liftBans, listBans, listSuspicions } from '../../../src/lib/guard/operate.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { pathsIn } from '../../support/files.ts';

const MINUTE = 60_000;
const none = { replay: 0, mac: 0, garbage: 0, silent: 0, timeout: 0, flood: 0 };
const net = (text: string): Prefix => parsePrefix(text) as Prefix;

let home: string;
let paths: Paths;
let guard: Guard;
let now: number;
let rules: GuardRules;
let pushes: number;
let refusing: boolean;
let logged: string[];

function start(): Guard {
  return new Guard({
    files: paths,
    access: async (known) => loadAccess(paths, known),
    push: async (next) => {
      if (refusing) throw new Error('no engine');
      rules = next;
      pushes += 1;
      return Promise.resolve();
    },
    policy: () => ({ ceiling: 'drop', threshold: 20, baseMs: 10 * MINUTE, mostMs: 7 * 1440 * MINUTE }),
    exempt: async () => Promise.resolve([{ prefix: net('192.0.2.1'), who: 'somebody' }]),
    log: (_level, event, detail) => void logged.push(`${event} ${JSON.stringify(detail)}`),
    now: () => now,
    random: () => 0,
  });
}

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-guard-'));
  paths = pathsIn(home);
  now = 1_800_000_000_000;
  pushes = 0;
  refusing = false;
  logged = [];
  guard = start();
  await guard.load();
});
afterEach(async () => {
  await guard.close();
  await rm(home, { recursive: true, force: true });
});

function offence(host: string, over: Partial<Offence> = {}): Offence {
  return { host, at: Math.floor(now / 1000), score: 21, counts: { ...none, replay: 3 }, good: false, ...over };
}

const verdict = (address: string): unknown => {
  const words = addressWords(address) as number[];
  if (rules.allowed !== null && rulingAt(rules.allowed, words, now / 1000) !== null) return 'allowed';
  return rules.bans === null ? null : (rulingAt(rules.bans, words, now / 1000)?.verdict ?? null);
};

/** Until all that was reported has been looked at. */
async function settled(count: number): Promise<void> {
  await expect.poll(async () => (await listSuspicions(paths, 0)).length).toBe(count);
  await guard.load();
}

describe('an offence', () => {
  it('bans its network in the ledger and in the engine, and is kept as evidence', async () => {
    guard.offend(offence('198.51.100.1'));
    guard.offend(offence('2001:db8::7'));
    guard.offend(offence('198.51.100.2', { score: 10 }));
    await settled(3);
    expect([verdict('198.51.100.1'), verdict('2001:db8::1'), verdict('198.51.100.2')]).toEqual(['mask', 'mask', null]);
    expect(await listBans(paths, now)).toMatchObject([{ actor: 'mtp' }, { actor: 'mtp' }]);
    expect(logged.filter((line) => line.startsWith('network_banned'))).toHaveLength(2);
    // As much of an address as a log may have.
    expect(logged.join()).toContain('"198.51.100.0/24"');
  });

  it('of somebody who is exempt or allowed bans nobody', async () => {
    await allowNetworks(paths, [{ prefix: net('198.51.100.0/24'), reason: '', until: null }], now);
    await guard.load();
    guard.offend(offence('192.0.2.1'));
    guard.offend(offence('198.51.100.1'));
    guard.offend(offence('203.0.113.1', { score: 5 }));
    await settled(2);
    expect(await listBans(paths, now)).toEqual([]);
  });

  it('during a ban changes nothing; after it the next is twice as long and harder', async () => {
    guard.offend(offence('198.51.100.1'));
    await settled(1);
    guard.offend(offence('198.51.100.1', { score: 30 }));
    await settled(1);
    expect(await listBans(paths, now)).toHaveLength(1);
    now += 11 * MINUTE;
    guard.offend(offence('198.51.100.1'));
    await expect.poll(async () => (await listBans(paths, now)).length).toBe(1);
    const [ban] = await listBans(paths, now);
    expect([ban?.verdict, (ban?.until ?? 0) - now]).toEqual(['limit', 20 * MINUTE]);
  });

  it('from three neighbours bans their /56', async () => {
    for (const network of [1, 2, 3]) {
      // Each ban is over when the next one comes.
      now += 20 * MINUTE;
      guard.offend(offence(`2001:db8:0:${network}::1`));
      await settled(network);
    }
    expect(verdict('2001:db8:0:ff::1')).toBe('mask');
    expect(verdict('2001:db8:0:100::1')).toBeNull();
  });

  it('a thousand times is a hundred and twenty bans a minute, and the rest is held back', async () => {
    for (let i = 0; i < 1000; i++) guard.offend(offence(`198.51.${i >> 8}.${i & 255}`));
    await expect.poll(async () => (await listSuspicions(paths, 0)).length, { timeout: 10_000 }).toBe(1000);
    await guard.load();
    expect(await listBans(paths, now)).toHaveLength(120);
    expect(logged.join()).toContain('bans_held_back');
  });
});

describe('what commands do', () => {
  const edges = { now: 1_800_000_000_000, exempted: [] };
  const wish = { prefix: net('198.51.100.0/24'), verdict: 'drop' as const, reason: 'x', until: null };

  it('is taken over when they say so, or soon when they could not', async () => {
    await banNetworks(paths, [wish], edges);
    expect(verdict('198.51.100.7')).toBeNull();
    await guard.watch();
    expect(verdict('198.51.100.7')).toBe('drop');
    const before = pushes;
    await guard.watch();
    expect(pushes).toBe(before);
    await liftBans(paths, [wish.prefix], now);
    await guard.watch();
    expect(verdict('198.51.100.7')).toBeNull();
  });

  it('is tried again where the engine did not take it', async () => {
    await banNetworks(paths, [wish], edges);
    refusing = true;
    await expect(guard.load()).rejects.toThrow('no engine');
    refusing = false;
    await guard.watch();
    expect(verdict('198.51.100.7')).toBe('drop');
  });

  it('lasts over a restart of the daemon', async () => {
    await banNetworks(paths, [wish], edges);
    await guard.close();
    guard = start();
    expect(await guard.load()).toEqual({ bans: 1, allowed: 0 });
    expect(verdict('198.51.100.7')).toBe('drop');
  });
});

it('a ban that is over gives way to the wider one that it lay in', async () => {
  const until = Date.now() + 1500;
  now = Date.now();
  const edges = { now, exempted: [] };
  const wide = { prefix: net('198.51.100.0/24'), verdict: 'drop' as const, reason: '', until: null };
  await banNetworks(paths, [wide, { ...wide, prefix: net('198.51.100.7'), verdict: 'mask', until }], edges);
  await guard.load();
  expect(verdict('198.51.100.7')).toBe('mask');
  now = until + 1;
  await expect.poll(() => verdict('198.51.100.7'), { timeout: 5000 }).toBe('drop');
});

describe('access rules', () => {
  const ruled = (address: string): unknown =>
    rules.access && rulingAt(rules.access, addressWords(address) as number[], now / 1000)?.verdict;

  it('that a command wrote without telling are found out, and end on their time', async () => {
    expect(rules.access).toBeNull();
    const wish = { ...readRuleWish({ level: 'NONE', for: '1h' }, now), prefix: net('198.51.100.0/24') };
    await keepRules(paths, [wish], now);
    await guard.watch();
    expect([ruled('198.51.100.9'), ruled('198.51.101.9')]).toEqual(['mask', undefined]);
    now += 60 * MINUTE;
    await guard.load();
    expect(rules.access).toBeNull();
  });
});
