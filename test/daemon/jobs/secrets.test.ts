import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SecretKeeper } from '../../../src/daemon/jobs/secrets.ts';
import { loadConfig } from '../../../src/lib/config/load.ts';
import type { Settings } from '../../../src/lib/config/schema.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { generationOf, loadUsers } from '../../../src/lib/users/load.ts';
import { SYSTEM } from '../../../src/lib/users/make.ts';
import { addSecret } from '../../../src/lib/users/secrets.ts';
import { addUser, removeUser } from '../../../src/lib/users/store.ts';
import type { User } from '../../../src/lib/users/user.ts';
import { pathsIn } from '../../support/files.ts';

const DAY_MS = 86_400_000;

let home: string;
let paths: Paths;
let settings: Settings;
let served: { users: User[]; generation: string | null };
let reloads: number;
let fault: Error | null;
let now: number;
let logged: string[];
let keeper: SecretKeeper;

async function serve(): Promise<void> {
  served = { users: (await loadUsers(paths)).users, generation: await generationOf(paths) };
}

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-keeper-'));
  paths = pathsIn(home);
  ({ settings } = await loadConfig({ file: paths.configFile, env: {} }));
  [reloads, fault, now, logged] = [0, null, Date.now(), []];
  keeper = new SecretKeeper({
    paths,
    inForce: () => ({ settings, ...served }),
    reload: async () => {
      reloads++;
      if (fault !== null) throw fault;
      await serve();
    },
    stale: async () => 0,
    usage: async () => ({ rows: [] }),
    log: (_level, event) => void logged.push(event),
    now: () => now,
  });
});
afterEach(async () => rm(home, { recursive: true, force: true }));

test('a user removed by a command that was killed is not in the way of those whose secrets are due', async () => {
  const longAgo = { ...SYSTEM, now: () => new Date(now - 2 * DAY_MS) };
  await addUser(paths, { name: 'amy', rotateAfter: DAY_MS }, longAgo);
  await addUser(paths, { name: 'bob', rotateAfter: DAY_MS }, longAgo);
  await serve();
  const before = served.users.find(({ name }) => name === 'bob')?.secrets[0]?.id;
  await removeUser(paths, 'amy');
  await keeper.run();
  expect(reloads, 'a command that lives tells us itself').toBe(0);
  await keeper.run();
  expect(served.users.map(({ name }) => name)).toEqual(['bob']);
  const states = served.users[0]?.secrets.map(({ id, state }) => [id === before, state]);
  expect(states).toEqual(expect.arrayContaining([[false, 'active']]));
});

test('a user who has as many secrets as there may be is not in the way of others, and is named once', async () => {
  const longAgo = { ...SYSTEM, now: () => new Date(now - 2 * DAY_MS) };
  await addUser(paths, { name: 'amy', rotateAfter: DAY_MS }, longAgo);
  for (let more = 1; more < 16; more++) await addSecret(paths, { name: 'amy' }, longAgo);
  await addUser(paths, { name: 'bob', rotateAfter: DAY_MS }, longAgo);
  await serve();
  await keeper.run();
  await keeper.run();
  expect(served.users.map(({ secrets }) => secrets.length)).toEqual([16, 2]);
  expect(logged.filter((event) => event === 'rotation_full')).toHaveLength(1);
});

test('a change that could not be taken over is tried again after a minute, not before', async () => {
  await addUser(paths, { name: 'amy' });
  await serve();
  await removeUser(paths, 'amy');
  fault = new Error('the engine is away');
  await keeper.run();
  await expect(keeper.run()).rejects.toThrow('the engine is away');
  now += 10_000;
  await keeper.run();
  expect(reloads).toBe(1);
  fault = null;
  now += 60_000;
  await keeper.run();
  expect(reloads).toBe(2);
  expect(served.users).toEqual([]);
});
