import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/lib/errors.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { listUsers, loadUsers } from '../../../src/lib/users/load.ts';
import { addUser } from '../../../src/lib/users/store.ts';
import { pathsIn } from '../../support/files.ts';

let dir: string;
let files: Paths;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-take-over-'));
  files = pathsIn(dir);
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const plain = ['bob', 'Маша', 'eve'].map((name, at) => ({
  id: `${at}`.repeat(16),
  name,
  key: `${at}abcdef9`.repeat(4),
  createdAt: `2026-01-0${at + 1}T00:00:00.000Z`,
  enabled: at !== 2,
}));

const writePlain = async (users: object[] = plain): Promise<void> =>
  writeFile(files.usersFile, JSON.stringify({ version: 1, users }));

async function expectTakenOver(): Promise<void> {
  const { users } = await loadUsers(files);
  expect(
    users.map(({ id, name, enabled, secrets }) => ({ id, name, enabled, keys: secrets.map(({ key }) => key) })),
  ).toEqual(plain.map(({ id, name, enabled, key }) => ({ id, name, enabled, keys: [key] })));
  expect(users.map(({ createdAt }) => new Date(createdAt).toISOString())).toEqual(
    plain.map(({ createdAt }) => createdAt),
  );
  // The lock of a process that was killed when all was done is in nobody's way.
  const left = (await readdir(dir)).filter((name) => name !== 'users.json.lock');
  expect(left.sort()).toEqual(['keyring.json', 'ledger.db']);
}

describe('users.json of an earlier version', () => {
  test('is taken over whole at first use, said in one line, and removed with what killed writers left', async () => {
    await writePlain();
    await writeFile(path.join(dir, '.users.json.123e4567'), JSON.stringify(plain));
    const notices: string[] = [];
    await listUsers({ ...files, notice: (sentence) => notices.push(sentence) });
    expect(notices).toEqual([
      `Took 3 users over from ${files.usersFile} into ${files.ledgerFile} and removed that file.`,
    ]);
    await expectTakenOver();
  });

  test('is taken over before somebody is added', async () => {
    await writePlain();
    await expect(addUser(files, { name: 'BOB' })).rejects.toMatchObject({ code: 'USER_EXISTS' });
    await expectTakenOver();
  });

  test('is taken over once by several that come at the same time', async () => {
    await writePlain();
    const lists = await Promise.all(Array.from({ length: 4 }, async () => listUsers(files)));
    expect(lists.map(({ length }) => length)).toEqual([3, 3, 3, 3]);
    await expectTakenOver();
  });

  test('beside a ledger that knows other users is left, and so is the ledger', async () => {
    await addUser(files, { name: 'carol' });
    await writePlain();
    await expect(loadUsers(files)).rejects.toMatchObject({ code: 'USERS_TWICE', exit: EXIT.precondition });
    expect(JSON.parse(await readFile(files.usersFile, 'utf8'))).toMatchObject({ users: plain });
    await rm(files.usersFile);
    expect((await loadUsers(files)).users.map(({ name }) => name)).toEqual(['carol']);
  });

  const [user] = plain;
  test.each([
    ['half of a file', '{"version":1,"users":[', /not JSON/],
    ['an empty file', '', /not JSON/],
    ['a newer version', { version: 2, users: [] }, /version: must be 1/],
    ['a short key', { version: 1, users: [{ ...user, key: 'abc' }] }, /users\.0\.key: must be 32 hex digits/],
    ['an unknown field', { version: 1, users: [{ ...user, admin: true }] }, /users\.0: .*admin/],
    ['one name twice', { version: 1, users: [user, { ...user, name: 'BOB', id: 'a'.repeat(16) }] }, /users\.1\.name/],
  ])('that is damaged (%s) is refused, named and left as it is', async (_, content, message) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    await writeFile(files.usersFile, text);
    await expect(loadUsers(files)).rejects.toThrow(message);
    await expect(addUser(files, { name: 'carol' })).rejects.toMatchObject({
      code: 'USERS_DAMAGED',
      exit: EXIT.precondition,
      message: expect.stringContaining(files.usersFile) as string,
    });
    expect(await readFile(files.usersFile, 'utf8')).toBe(text);
    expect(await readdir(dir)).toEqual(['users.json']);
  });

  const script = fileURLToPath(new URL('take-over-killed.ts', import.meta.url));
  test.each(['read', 'inserted', 'committed', 'verified', 'removed'])('killed at "%s" loses nothing', async (step) => {
    await writePlain();
    const { signal, stderr } = spawnSync(process.execPath, [script, dir, step], { encoding: 'utf8' });
    expect(signal, stderr).toBe('SIGKILL');
    await expectTakenOver();
  });
});
