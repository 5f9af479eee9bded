import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Announcer } from '../../../src/daemon/jobs/announcements.ts';
import { loadConfig } from '../../../src/lib/config/load.ts';
import { describeAccess } from '../../../src/lib/link/access.ts';
import { whileAnnouncing } from '../../../src/lib/rotation/announce.ts';
import { rotateSecrets } from '../../../src/lib/rotation/rotate.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { generationOf } from '../../../src/lib/users/load.ts';
import { addUser } from '../../../src/lib/users/store.ts';
import { pathsIn } from '../../support/files.ts';

let paths: Paths;
let served: string | null;
let logged: string[];
let now: number;
let announcer: Announcer;

beforeEach(async () => {
  paths = pathsIn(await mkdtemp(path.join(os.tmpdir(), 'mtp-announcer-')));
  const { settings } = await loadConfig({ file: paths.configFile, env: {} });
  await addUser(paths, { name: 'bob' });
  logged = [];
  await mkdir(paths.hooks, { mode: 0o700 });
  await hook(`cat >> ${paths.config}/told`);
  const how = { graceMs: 86_400_000, limitNetworks: null };
  // As a daemon that is killed once it has rotated: the announcer is that of the next one.
  await rotateSecrets(paths, { names: ['bob'], olderThanMs: null }, how, 'policy');
  [served, now] = [await generationOf(paths), Date.now()];
  announcer = new Announcer({
    paths,
    served: () => served,
    access: () => describeAccess(settings, 443, {}),
    log: (_level, event) => void logged.push(event),
    now: () => now,
  });
});
afterEach(async () => rm(paths.config, { recursive: true, force: true }));

async function hook(body: string): Promise<void> {
  const file = path.join(paths.hooks, 'on-rotate');
  await writeFile(file, `#!/bin/sh\n${body}\n`);
  await chmod(file, 0o700);
}

async function told(): Promise<string> {
  return readFile(path.join(paths.config, 'told'), 'utf8').catch(() => '');
}

test('what a daemon did not live to tell, the next one tells', async () => {
  await announcer.run();
  expect(await told()).toContain('"reason":"policy"');
  expect(logged).toEqual(['rotation_announced']);
  expect(announcer.state).toEqual({ due: 0, givenUp: 0, failure: null, nextAt: null });
});

test('nobody hears of a link before the engine knows it', async () => {
  served = 'before';
  await announcer.run();
  expect(await told()).toBe('');
  expect(announcer.state).toMatchObject({ due: 1, failure: null });
});

test('a hook that fails is in the log and in the state, until it is given up', async () => {
  await hook('exit 3');
  await announcer.run();
  expect(announcer.state).toEqual({ due: 1, givenUp: 0, failure: 'it ended with status 3', nextAt: now + 10_000 });
  expect(logged).toEqual(['hook_failed']);
  for (let hours = 0; hours < 24; hours++) {
    now += 3_600_000;
    await announcer.run();
  }
  expect(announcer.state).toEqual({ due: 0, givenUp: 1, failure: 'it ended with status 3', nextAt: null });
  expect(logged.filter((event) => event === 'hook_given_up')).toHaveLength(1);
  expect(logged.filter((event) => event === 'hook_failed')).toHaveLength(20);
});

test('while a command tells the hook itself, the daemon leaves it alone', async () => {
  await whileAnnouncing(paths, async () => announcer.run());
  expect(await told()).toBe('');
  await announcer.run();
  expect(await told()).toContain('bob');
});
