import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  announcementOf,
  announceDue,
  listDue,
  type Told,
  whileAnnouncing,
} from '../../../src/lib/rotation/announce.ts';
import { closeSecrets } from '../../../src/lib/rotation/close.ts';
import type { Due } from '../../../src/lib/rotation/outbox.ts';
import { type How, rotateSecrets } from '../../../src/lib/rotation/rotate.ts';
import type { Access } from '../../../src/lib/link/access.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { findUser } from '../../../src/lib/users/load.ts';
import { SYSTEM } from '../../../src/lib/users/make.ts';
import { addUser, removeUser, setUser } from '../../../src/lib/users/store.ts';
import { pathsIn } from '../../support/files.ts';

const GRACE = { graceMs: 86_400_000, limitNetworks: null };
const ACCESS: Access = {
  server: 'proxy.example.com',
  reach: 'public',
  port: 443,
  domain: 'cover.test',
  modes: ['ee'],
  warnings: [],
};
const START = Date.UTC(2027, 0, 1);

interface Message {
  at: string;
  reason: string;
  rotations: { user: { name: string; state: string }; secret: string; before: unknown[]; links: unknown[] }[];
}

let paths: Paths;
let now: number;

beforeEach(async () => {
  paths = pathsIn(await mkdtemp(path.join(os.tmpdir(), 'mtp-announce-')));
  now = START;
  for (const name of ['amy', 'bob']) await addUser(paths, { name }, { ...SYSTEM, now: () => new Date(now) });
});
afterEach(async () => rm(paths.config, { recursive: true, force: true }));

async function hook(body: string): Promise<void> {
  await mkdir(paths.hooks, { recursive: true, mode: 0o700 });
  await writeFile(path.join(paths.hooks, 'on-rotate'), `#!/bin/sh\n${body}\n`);
  await chmod(path.join(paths.hooks, 'on-rotate'), 0o700);
}

/** A hook that keeps what it reads. */
async function keeping(): Promise<void> {
  await hook(`cat >> ${paths.config}/told`);
}

async function messages(): Promise<Message[]> {
  const text = await readFile(path.join(paths.config, 'told'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Message);
}

async function rotate(name: string, how: How = GRACE): Promise<string> {
  now += 1000;
  const sources = { ...SYSTEM, now: () => new Date(now) };
  return (await rotateSecrets(paths, { names: [name], olderThanMs: null }, how, 'command', sources)).id;
}

async function round(anew = false): Promise<Told[]> {
  return announceDue(paths, ACCESS, { now: () => now, anew });
}

const outcomes = (told: Told[]): string[] => told.map(({ outcome }) => outcome.state);

test('a rotation whose command is killed before it told anybody is told of by the next who looks, and once', async () => {
  await keeping();
  await rotate('bob');
  expect(await listDue(paths)).toMatchObject([{ reason: 'command', tries: 0, secrets: [{ name: 'bob' }] }]);
  expect(outcomes(await round())).toEqual(['ran']);
  expect(await messages()).toMatchObject([{ reason: 'command', rotations: [{ user: { name: 'bob' } }] }]);
  expect(await listDue(paths)).toEqual([]);
  expect(await round()).toEqual([]);
});

test('a rotation that is not written leaves nothing to tell of', async () => {
  const nobody = { names: ['bob', 'nobody'], olderThanMs: null };
  await expect(rotateSecrets(paths, nobody, GRACE, 'command')).rejects.toMatchObject({ code: 'USER_UNKNOWN' });
  expect(await listDue(paths)).toEqual([]);
});

test('the message has times in ISO 8601, what was replaced, and nothing that was over before', async () => {
  await keeping();
  await setUser(paths, 'bob', () => ({ enabled: false }));
  await rotate('bob', 'emergency');
  const second = (await findUser(paths, 'bob')).secrets.at(-1)?.id;
  await rotate('bob');
  await round();
  const [emergency, graceful] = await messages();
  expect(emergency).toMatchObject({ at: '2027-01-01T00:00:01.000Z', reason: 'command' });
  expect(emergency?.rotations[0]?.before).toMatchObject([{ state: 'revoked', until: null }]);
  expect(graceful?.rotations[0]).toMatchObject({
    user: { name: 'bob', state: 'disabled' },
    before: [{ secret: second, state: 'retiring', until: '2027-01-02T00:00:02.000Z' }],
    links: [{ mode: 'ee' }],
  });
});

test('a hook that fails is told again ever more rarely, and after twenty tries no more', async () => {
  await hook('exit 3');
  await rotate('bob');
  const waits: number[] = [];
  for (;;) {
    const [told] = await round();
    if (told === undefined || told.due.nextAt === null) break;
    waits.push(told.due.nextAt - now);
    now = told.due.nextAt - 1;
    expect(await round()).toEqual([]);
    now += 1;
  }
  expect(waits.slice(0, 4)).toEqual([10_000, 20_000, 40_000, 80_000]);
  expect(Math.max(...waits)).toBe(3_600_000);
  expect(waits).toHaveLength(19);
  const [left] = (await listDue(paths)) as [Due];
  expect(left).toMatchObject({ tries: 20, nextAt: null, failure: 'it ended with status 3' });
  now += 365 * 86_400_000;
  expect(await round()).toEqual([]);
  await keeping();
  expect(outcomes(await round(true))).toEqual(['ran']);
  expect(await listDue(paths)).toEqual([]);
});

test('a user hears of rotations in their order, and others are not kept back by it', async () => {
  await hook('exit 3');
  const first = await rotate('bob');
  const failed = await round();
  expect(announcementOf(first, failed)).toMatchObject({ state: 'failed', tries: 1 });
  await keeping();
  const second = await rotate('bob');
  await rotate('amy');
  const told = await round();
  expect(announcementOf(second, told)).toMatchObject({ state: 'waiting' });
  expect((await messages()).map(({ rotations }) => rotations[0]?.user.name)).toEqual(['amy']);
  now += 10_000;
  expect(outcomes(await round())).toEqual(['ran', 'ran']);
  const [, one, other] = await messages();
  const { secrets } = await findUser(paths, 'bob');
  expect([one, other].map((message) => message?.rotations[0]?.secret)).toEqual(secrets.slice(1).map(({ id }) => id));
});

test('where there is no hook nobody is to be told, later neither', async () => {
  await rotate('bob');
  expect(outcomes(await round())).toEqual(['none']);
  await keeping();
  expect(await round()).toEqual([]);
});

test('a link that does not work any more is told to nobody', async () => {
  await hook('exit 3');
  await rotate('bob');
  await rotate('amy');
  await round();
  await keeping();
  const { id } = (await findUser(paths, 'bob')).secrets.at(-1) as { id: string };
  await closeSecrets(paths, { name: 'bob', id, now: true }, now);
  await removeUser(paths, 'amy');
  now += 10_000;
  expect(outcomes(await round())).toEqual(['outdated']);
  expect(await messages()).toEqual([]);
  expect(await listDue(paths)).toEqual([]);
});

test('a clock that went back does not put the next try off for long', async () => {
  await hook('exit 3');
  await rotate('bob');
  await round();
  now -= 30 * 86_400_000;
  expect(outcomes(await round())).toEqual(['failed']);
});

test('two never tell the hook at once', async () => {
  let inside = 0;
  const one = async (): Promise<number> =>
    whileAnnouncing(paths, async () => {
      inside += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return inside--;
    });
  expect(await Promise.all([one(), one(), one()])).toEqual([1, 1, 1]);
  const held = whileAnnouncing(paths, async () => new Promise((resolve) => setTimeout(resolve, 100)));
  await new Promise((resolve) => setTimeout(resolve, 20));
  await expect(whileAnnouncing(paths, async () => undefined, 0)).rejects.toMatchObject({ code: 'TEMPORARY' });
  await held;
});
