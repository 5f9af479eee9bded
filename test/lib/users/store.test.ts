import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/lib/errors.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { listUsers, loadFirst, loadUser, loadUsers } from '../../../src/lib/users/load.ts';
import { addSecret, removeSecret } from '../../../src/lib/users/secrets.ts';
import { addUser, ensureFirstUser, removeUser, setUser } from '../../../src/lib/users/store.ts';
import { pathsIn } from '../../support/files.ts';

let dir: string;
let files: Paths;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-users-'));
  files = pathsIn(dir);
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const names = async (): Promise<string[]> => (await loadUsers(files)).users.map(({ name }) => name);

function addMany(name: string, count: number): ChildProcess {
  const script = fileURLToPath(new URL('add-many.ts', import.meta.url));
  return spawn(process.execPath, [script, dir, name, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

describe('users', () => {
  test('one that was added is there on the next load, in private files without the secret in the open', async () => {
    const bob = await addUser(files, { name: 'bob' });
    expect((await loadUsers(files)).users).toEqual([bob]);
    expect((await readdir(dir)).sort()).toEqual(['keyring.json', 'ledger.db']);
    const key = bob.secrets[0]?.key ?? '';
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    for (const file of [files.ledgerFile, files.keyringFile]) {
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const bytes = await readFile(file);
      expect(bytes.includes(Buffer.from(key, 'hex')) || bytes.includes(key)).toBe(false);
    }
  });

  test('where there are none, reading makes no file', async () => {
    expect(await loadUsers(files)).toEqual({ users: [], warnings: [] });
    expect(await listUsers(files)).toEqual([]);
    await expect(loadFirst(files)).rejects.toMatchObject({ code: 'NO_USERS', exit: EXIT.precondition });
    expect(await readdir(dir)).toEqual([]);
  });

  test('the sources decide id and time, and everything that is given is kept', async () => {
    const sources = { random: (bytes: number) => Buffer.alloc(bytes, 7), now: () => new Date(5) };
    const limits = {
      connections: 16,
      networks: 0,
      quota: { bytes: 2 ** 50, period: 'month' as const, start: 5 },
      upBytesPerSecond: 1,
      downBytesPerSecond: 2,
    };
    const given = { limits, expiresAt: 99, tags: ['b', 'a', 'b'], notes: "Bob'); drop table users;--", enabled: false };
    const key = Buffer.alloc(16, 1);
    const added = await addUser(files, { name: 'bob', key, ...given }, sources);
    expect(added).toMatchObject({ ...given, id: '07'.repeat(8), tags: ['a', 'b'], createdAt: 5, lastSeenAt: null });
    expect(added.secrets).toMatchObject([{ key: '01'.repeat(16), state: 'active', createdAt: 5 }]);
    expect((await loadUser(files, 'BOB')).user).toEqual(added);
  });

  test('a name is taken in any case, and a key by anybody', async () => {
    const key = Buffer.alloc(16, 1);
    await addUser(files, { name: 'bob', key });
    await expect(addUser(files, { name: 'BOB' })).rejects.toMatchObject({ code: 'USER_EXISTS' });
    await expect(addUser(files, { name: 'eve', key })).rejects.toMatchObject({
      code: 'KEY_EXISTS',
      message: expect.stringContaining('bob') as string,
    });
    expect(await names()).toEqual(['bob']);
  });

  test.each(['', 'a b', '../x', 'a/b', '..', '🙂', 'x'.repeat(65), 'a\nb', '"'])(
    '%j cannot be a name',
    async (name) => {
      await expect(addUser(files, { name })).rejects.toMatchObject({ code: 'NAME_INVALID', exit: EXIT.usage });
      expect(await readdir(dir)).toEqual([]);
    },
  );

  test.each(['a', 'x'.repeat(64), 'bob@example.com', 'a.b-c_d', 'Маша', '-'])('%j can be a name', async (name) => {
    const user = await addUser(files, { name });
    expect((await loadUser(files, name.toUpperCase())).user).toEqual(user);
  });

  test('a change keeps what it does not name, id and secrets included', async () => {
    const bob = await addUser(files, { name: 'bob', tags: ['old'], notes: 'n' });
    await addUser(files, { name: 'eve' });
    const { user } = await setUser(files, 'bob', ({ limits }) => ({
      name: 'robert',
      limits: { ...limits, connections: 0 },
      tags: [],
    }));
    expect(user).toMatchObject({ id: bob.id, name: 'robert', notes: 'n', tags: [], limits: { connections: 0 } });
    expect((await loadUser(files, 'Robert')).user.secrets).toEqual(bob.secrets);
    await expect(setUser(files, 'robert', () => ({ name: 'EVE' }))).rejects.toMatchObject({ code: 'USER_EXISTS' });
    await expect(setUser(files, 'robert', () => ({ name: 'a b' }))).rejects.toMatchObject({ code: 'NAME_INVALID' });
    await expect(setUser(files, 'robert', () => ({ tags: ['a b'] }))).rejects.toMatchObject({ code: 'TAG_INVALID' });
    await expect(setUser(files, 'robert', () => ({ notes: 'a\u001b[2J' }))).rejects.toMatchObject({
      code: 'NOTE_INVALID',
    });
    expect((await setUser(files, 'robert', () => ({ name: 'Robert' }))).user.name).toBe('Robert');
    expect(await names()).toEqual(['Robert', 'eve']);
  });

  test('removing takes the one named, and an unknown name is told who there is', async () => {
    await addUser(files, { name: 'bob', tags: ['x'] });
    const eve = await addUser(files, { name: 'eve' });
    expect((await removeUser(files, 'Bob')).name).toBe('bob');
    expect((await loadUsers(files)).users).toEqual([eve]);
    await expect(removeUser(files, 'bob')).rejects.toMatchObject({
      code: 'USER_UNKNOWN',
      hint: expect.stringContaining('eve') as string,
    });
  });

  test('a secret is added and removed by itself; the user stays', async () => {
    const { user: bob, created } = await addSecret(files, { name: 'bob' });
    expect(created).toBe(true);
    const second = await addSecret(files, { name: 'BOB', key: Buffer.alloc(16, 2) });
    expect(second).toMatchObject({ created: false, user: { id: bob.id, name: 'bob' } });
    expect(second.user.secrets.map(({ key }) => key)).toEqual([bob.secrets[0]?.key, '02'.repeat(16)]);
    await expect(addSecret(files, { name: 'eve', key: Buffer.alloc(16, 2) })).rejects.toMatchObject({
      code: 'KEY_EXISTS',
    });
    expect(await names()).toEqual(['bob']);
    await expect(removeSecret(files, { name: 'bob' })).rejects.toMatchObject({
      code: 'SECRET_UNCLEAR',
      hint: expect.stringContaining(second.secretId) as string,
    });
    expect(await removeSecret(files, { name: 'bob', id: second.secretId })).toMatchObject({ name: 'bob', left: 1 });
    expect(await removeSecret(files, { name: 'bob' })).toMatchObject({ left: 0 });
    expect((await loadUser(files, 'bob')).user).toEqual({ ...bob, secrets: [] });
    await expect(removeSecret(files, { name: 'bob' })).rejects.toMatchObject({ code: 'NO_SECRET' });
  });

  test('the first user is made once and kept', async () => {
    const first = await ensureFirstUser(files);
    expect(first).toMatchObject({ created: true, user: { name: 'me' } });
    expect(await ensureFirstUser(files)).toEqual({ created: false, user: first.user });
  });

  test('two that start at once agree on one first user', async () => {
    const [one, two] = await Promise.all([ensureFirstUser(files), ensureFirstUser(files)]);
    expect(one.user).toEqual(two.user);
    expect([one.created, two.created].sort()).toEqual([false, true]);
  });

  test('files that others can read are reported', async () => {
    await addUser(files, { name: 'bob' });
    expect((await loadUsers(files)).warnings).toEqual([]);
    for (const file of [files.ledgerFile, files.keyringFile]) {
      await chmod(file, 0o640);
      expect((await loadUsers(files)).warnings).toEqual([expect.stringContaining(`chmod 600 ${file}`)]);
      await chmod(file, 0o600);
    }
  });
});

describe('what is lost or does not fit', () => {
  test.each(['', undefined])('a ledger that is %j beside a keyring is no fresh start', async (content) => {
    await addUser(files, { name: 'bob' });
    if (content === undefined) await unlink(files.ledgerFile);
    else await writeFile(files.ledgerFile, content);
    for (const attempt of [loadUsers(files), addUser(files, { name: 'eve' })]) {
      await expect(attempt).rejects.toMatchObject({ code: 'LEDGER_MISSING', exit: EXIT.precondition });
    }
  });

  test('a keyring that is missing, another or damaged is refused, and nothing is written', async () => {
    await addUser(files, { name: 'bob' });
    const keyring = await readFile(files.keyringFile, 'utf8');
    const ledger = await readFile(files.ledgerFile);
    const other = pathsIn(path.join(dir, 'other'));
    await addUser(other, { name: 'x' });
    const flipped = keyring.replace(/"key": "(.)/, (_, digit: string) => `"key": "${digit === '0' ? '1' : '0'}`);
    const cases: [string | undefined, string][] = [
      [undefined, 'KEYRING_MISSING'],
      [await readFile(other.keyringFile, 'utf8'), 'KEYRING_WRONG'],
      [flipped, 'SECRET_DAMAGED'],
      ['{', 'KEYRING_DAMAGED'],
      [keyring.replace('"version": 1', '"version": 2'), 'KEYRING_DAMAGED'],
    ];
    for (const [content, code] of cases) {
      if (content === undefined) await unlink(files.keyringFile);
      else await writeFile(files.keyringFile, content);
      await expect(loadUsers(files), code).rejects.toMatchObject({ code, exit: EXIT.precondition });
      if (code !== 'SECRET_DAMAGED') await expect(addUser(files, { name: 'eve' })).rejects.toMatchObject({ code });
      expect(await readFile(files.keyringFile, 'utf8').catch(() => undefined)).toBe(content);
    }
    await writeFile(files.keyringFile, keyring);
    expect(await names()).toEqual(['bob']);
    expect((await readFile(files.ledgerFile)).equals(ledger)).toBe(true);
  });
});

describe('several processes', () => {
  test('three that add 20 users each lose none, from the first user on', async () => {
    const children = ['a', 'b', 'c'].map((name) => addMany(name, 20));
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number | null));
    expect(codes).toEqual([0, 0, 0]);
    expect(new Set(await names()).size).toBe(60);
    expect((await readdir(dir)).sort()).toEqual(['keyring.json', 'ledger.db']);
  }, 60_000);

  test('one that is killed while it writes leaves a whole ledger and holds up nobody', async () => {
    await addUser(files, { name: 'before' });
    for (let round = 0; round < 4; round++) {
      const child = addMany(`round${round}`, 1e6);
      await once(child.stdout as NodeJS.ReadableStream, 'data');
      await new Promise((resolve) => setTimeout(resolve, 40 + 17 * round));
      child.kill('SIGKILL');
      await once(child, 'exit');
      const kept = await names();
      expect(kept[0]).toBe('before');
      await addUser(files, { name: `after${round}` });
      expect(await names()).toHaveLength(kept.length + 1);
    }
  }, 60_000);
});

describe.runIf(process.getuid?.() === 0)('a full disk', () => {
  test('keeps what was there and says so', async (context) => {
    const mounted = await execa('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir], { reject: false });
    if (mounted.exitCode !== 0) context.skip('this machine does not let us mount a small file system');
    try {
      const bob = await addUser(files, { name: 'bob' });
      await writeFile(path.join(dir, 'filler'), Buffer.alloc(1024 * 1024)).catch(() => undefined);
      await expect(addUser(files, { name: 'eve' })).rejects.toMatchObject({
        code: 'LEDGER_FULL',
        exit: EXIT.precondition,
        message: `the ledger ${files.ledgerFile} cannot be written: no space left on the disk`,
      });
      await unlink(path.join(dir, 'filler'));
      expect((await loadUsers(files)).users).toEqual([bob]);
      await addUser(files, { name: 'eve' });
    } finally {
      await execa('umount', [dir]);
    }
  });
});
