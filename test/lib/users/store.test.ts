import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/lib/errors.ts';
import { addUser, ensureFirstUser, findUser, loadUsers, removeUser } from '../../../src/lib/users/store.ts';

let dir: string;
let usersFile: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-users-'));
  usersFile = path.join(dir, 'users.json');
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

function addMany(file: string, name: string, count: number): ChildProcess {
  const script = fileURLToPath(new URL('add-many.ts', import.meta.url));
  return spawn(process.execPath, [script, file, name, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

describe('users file', () => {
  test('a user that was added is there on the next load, in a private file', async () => {
    const bob = await addUser({ usersFile }, { name: 'bob' });
    expect((await loadUsers({ usersFile })).users).toEqual([bob]);
    expect((await stat(usersFile)).mode & 0o777).toBe(0o600);
    expect(bob.key).toMatch(/^[0-9a-f]{32}$/);
    expect(await readdir(dir)).toEqual(['users.json']);
  });

  test('the sources decide id, key and time', async () => {
    const sources = { random: (bytes: number) => Buffer.alloc(bytes, 7), now: () => new Date(0) };
    expect(await addUser({ usersFile }, { name: 'bob' }, sources)).toEqual({
      id: '07'.repeat(8),
      name: 'bob',
      key: '07'.repeat(16),
      createdAt: '1970-01-01T00:00:00.000Z',
      enabled: true,
    });
  });

  test('a name is taken in any case, and a key by anybody', async () => {
    const key = Buffer.alloc(16, 1);
    await addUser({ usersFile }, { name: 'bob', key });
    await expect(addUser({ usersFile }, { name: 'BOB' })).rejects.toMatchObject({ code: 'USER_EXISTS' });
    await expect(addUser({ usersFile }, { name: 'eve', key })).rejects.toMatchObject({ code: 'KEY_EXISTS' });
    expect((await loadUsers({ usersFile })).users).toHaveLength(1);
  });

  test.each(['', 'a b', '../x', 'a/b', '..', '🙂', 'x'.repeat(65), 'a\nb', '"'])(
    '%j cannot be a name',
    async (name) => {
      await expect(addUser({ usersFile }, { name })).rejects.toMatchObject({ code: 'NAME_INVALID', exit: EXIT.usage });
      expect(await readdir(dir)).toEqual([]);
    },
  );

  test.each(['a', 'x'.repeat(64), 'bob@example.com', 'a.b-c_d', 'Маша', '-'])('%j can be a name', async (name) => {
    const user = await addUser({ usersFile }, { name });
    expect(findUser((await loadUsers({ usersFile })).users, name.toUpperCase())).toEqual(user);
  });

  test('removing takes the one named, and an unknown name is told who there is', async () => {
    await addUser({ usersFile }, { name: 'bob' });
    const eve = await addUser({ usersFile }, { name: 'eve' });
    expect((await removeUser({ usersFile }, 'Bob')).name).toBe('bob');
    expect((await loadUsers({ usersFile })).users).toEqual([eve]);
    await expect(removeUser({ usersFile }, 'bob')).rejects.toMatchObject({
      code: 'USER_UNKNOWN',
      hint: expect.stringContaining('eve') as string,
    });
  });

  test('the first user is made once and kept', async () => {
    const first = await ensureFirstUser({ usersFile });
    expect(first).toMatchObject({ created: true, user: { name: 'me' } });
    expect(await ensureFirstUser({ usersFile })).toEqual({ created: false, user: first.user });
  });

  test('two that start at once agree on one first user', async () => {
    const [one, two] = await Promise.all([ensureFirstUser({ usersFile }), ensureFirstUser({ usersFile })]);
    expect(one.user).toEqual(two.user);
    expect([one.created, two.created].sort()).toEqual([false, true]);
  });

  test('a file that others can read is reported', async () => {
    await addUser({ usersFile }, { name: 'bob' });
    expect((await loadUsers({ usersFile })).warnings).toEqual([]);
    await chmod(usersFile, 0o640);
    expect((await loadUsers({ usersFile })).warnings).toEqual([expect.stringContaining(`chmod 600 ${usersFile}`)]);
  });

  const user = {
    id: '0'.repeat(16),
    name: 'bob',
    key: 'a'.repeat(32),
    createdAt: '2026-01-01T00:00:00Z',
    enabled: true,
  };
  test.each([
    ['half of a file', '{"version":1,"users":[', /not JSON/],
    ['an empty file', '', /not JSON/],
    ['a newer version', { version: 2, users: [] }, /version: must be 1/],
    ['a short key', { version: 1, users: [{ ...user, key: 'abc' }] }, /users\.0\.key: must be 32 hex digits/],
    ['an unknown field', { version: 1, users: [{ ...user, admin: true }] }, /users\.0: .*admin/],
    [
      'one name twice',
      { version: 1, users: [user, { ...user, name: 'BOB', id: '1'.repeat(16) }] },
      /users\.1\.name: is there twice/,
    ],
  ])('%s is refused, named and left as it is', async (_, content, message) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    await writeFile(usersFile, text);
    await expect(loadUsers({ usersFile })).rejects.toThrow(message);
    await expect(addUser({ usersFile }, { name: 'eve' })).rejects.toMatchObject({
      code: 'USERS_DAMAGED',
      exit: EXIT.precondition,
      message: expect.stringContaining(usersFile) as string,
    });
    expect(await readFile(usersFile, 'utf8')).toBe(text);
  });
});

describe('several processes', () => {
  test('two that add 20 users each lose none', async () => {
    const children = [addMany(usersFile, 'a', 20), addMany(usersFile, 'b', 20)];
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number | null));
    expect(codes).toEqual([0, 0]);
    const { users } = await loadUsers({ usersFile });
    expect(new Set(users.map(({ name }) => name)).size).toBe(40);
    expect(await readdir(dir)).toEqual(['users.json']);
  }, 60_000);

  test('one that is killed while it writes leaves a whole file and holds up nobody', async () => {
    await addUser({ usersFile }, { name: 'before' });
    for (let round = 0; round < 4; round++) {
      const child = addMany(usersFile, `round${round}`, 1e6);
      await once(child.stdout as NodeJS.ReadableStream, 'data');
      await new Promise((resolve) => setTimeout(resolve, 40 + 17 * round));
      child.kill('SIGKILL');
      await once(child, 'exit');
      const names = (await loadUsers({ usersFile })).users.map(({ name }) => name);
      expect(names[0]).toBe('before');
      await addUser({ usersFile }, { name: `after${round}` });
      expect((await loadUsers({ usersFile })).users).toHaveLength(names.length + 1);
    }
  }, 60_000);
});

describe.runIf(process.getuid?.() === 0)('a full disk', () => {
  test('keeps the old file and says so', async (context) => {
    const mounted = await execa('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir], { reject: false });
    if (mounted.exitCode !== 0) context.skip('this machine does not let us mount a small file system');
    try {
      const bob = await addUser({ usersFile }, { name: 'bob' });
      await writeFile(path.join(dir, 'filler'), Buffer.alloc(64 * 1024)).catch(() => undefined);
      await expect(addUser({ usersFile }, { name: 'eve' })).rejects.toMatchObject({
        code: 'FILE_ENOSPC',
        message: `cannot write ${usersFile}: no space left on the disk`,
      });
      expect((await loadUsers({ usersFile })).users).toEqual([bob]);
      expect((await readdir(dir)).sort()).toEqual(['filler', 'users.json']);
    } finally {
      await execa('umount', [dir]);
    }
  });
});
