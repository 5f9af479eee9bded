import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rotateKeys } from '../../../src/lib/keyring/rotate.ts';
import { withLedger } from '../../../src/lib/ledger/open.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { recordUsage } from '../../../src/lib/usage/record.ts';
import { KnownUsers } from '../../../src/lib/users/known-users.ts';
import { loadUsers } from '../../../src/lib/users/load.ts';
import { addSecret } from '../../../src/lib/users/secrets.ts';
import { addUser, removeUser, setUser } from '../../../src/lib/users/store.ts';
import type { User } from '../../../src/lib/users/user.ts';
import { pathsIn } from '../../support/files.ts';

let home: string;
let files: Paths;
let known: KnownUsers;

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-known-'));
  files = pathsIn(home);
  known = new KnownUsers();
  for (const name of ['ann', 'bob', 'cid']) await addUser(files, { name });
});
afterEach(async () => rm(home, { recursive: true, force: true }));

const inOrder = (users: readonly User[]): string[] => users.map(({ name }) => name);

test('a user stays the same object until something else is said of them', async () => {
  const first = await known.read(files);
  expect(first).toEqual((await loadUsers(files)).users);
  const changes: [string, () => Promise<unknown>][] = [
    ['bob', async () => setUser(files, 'bob', () => ({ enabled: false }))],
    ['bob', async () => setUser(files, 'bob', () => ({ tags: ['a', 'b'] }))],
    ['ann', async () => setUser(files, 'ann', () => ({ name: 'anna' }))],
    ['cid', async () => addSecret(files, { name: 'cid' })],
  ];
  let before = first;
  for (const [name, change] of changes) {
    await change();
    const after = await known.read(files);
    expect(after).toEqual((await loadUsers(files)).users);
    for (const [at, user] of after.entries()) expect(user === before[at], user.name).toBe(before[at]?.name !== name);
    before = after;
  }
  await addUser(files, { name: 'dan' });
  await removeUser(files, 'anna');
  const last = await known.read(files);
  expect(inOrder(last)).toEqual(['bob', 'cid', 'dan']);
  expect(last.slice(0, 2)).toEqual(before.slice(1));
  expect(last[0]).toBe(before[1]);
});

test('who was seen is no other user', async () => {
  const [ann] = await known.read(files);
  const counters = [{ id: ann?.id ?? '', up: 1, down: 1, lastSeen: 5 }];
  await withLedger(files.ledgerFile, async (ledger) => recordUsage(ledger, [{ epoch: 'a', at: 6000, counters }]));
  expect((await known.read(files))[0]).toBe(ann);
});

test('keys of another keyring are opened again, and one that is gone or wrong is refused', async () => {
  const before = await known.read(files);
  await rotateKeys(files);
  const after = await known.read(files);
  expect(after).toEqual(before);
  expect(after.some((user) => before.includes(user))).toBe(false);
  await rename(files.keyringFile, `${files.keyringFile}.away`);
  await expect(known.read(files)).rejects.toMatchObject({ code: 'KEYRING_MISSING' });
  const text = await readFile(`${files.keyringFile}.away`, 'utf8');
  await writeFile(files.keyringFile, text.replace(/"id": "[0-9a-f]{16}"/, `"id": "${'0'.repeat(16)}"`), {
    mode: 0o600,
  });
  await expect(known.read(files)).rejects.toMatchObject({ code: 'KEYRING_WRONG' });
});
