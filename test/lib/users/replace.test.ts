import { createSecretKey } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { closeSecrets } from '../../../src/lib/rotation/close.ts';
import { rotateSecrets } from '../../../src/lib/rotation/rotate.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { digestAll, digestUsers } from '../../../src/lib/users/digest.ts';
import { exportUsers } from '../../../src/lib/users/export.ts';
import { describeImport, type Imported, importUsers } from '../../../src/lib/users/import.ts';
import { loadUsers } from '../../../src/lib/users/load.ts';
import { addUser, removeUser, setUser } from '../../../src/lib/users/store.ts';
import type { User } from '../../../src/lib/users/user.ts';
import { pathsIn } from '../../support/files.ts';

let dir: string;
let here: Paths;
let there: Paths;
let copies = 0;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-replace-'));
  [here, there] = [pathsIn(path.join(dir, 'here')), pathsIn(path.join(dir, 'there'))];
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const WHOLE = { partial: false, dryRun: false, allowWeak: false, replace: true, removeOthers: true };

/** Make the users there those of here. */
async function copy(options: Partial<typeof WHOLE> = {}): Promise<Imported> {
  const file = path.join(dir, `copy-${(copies += 1)}.csv`);
  await exportUsers(here, { file, format: 'csv', withSecrets: true });
  return importUsers(there, file, { ...WHOLE, ...options });
}

async function importing(text: string, options: Partial<typeof WHOLE> = {}): Promise<Imported> {
  const file = path.join(dir, 'users.csv');
  await writeFile(file, text, { mode: 0o600 });
  return importUsers(there, file, { ...WHOLE, ...options });
}

const users = async (files: Paths): Promise<User[]> => (await loadUsers(files)).users;
const key = createSecretKey(Buffer.alloc(32, 7));
const digest = async (files: Paths): Promise<string> =>
  digestAll(digestUsers(await users(files), key, Date.now()), key);
const HOUR = { graceMs: 3_600_000, limitNetworks: 2 };

describe('a copy of all users', () => {
  test('has everything but ids, old secrets in their states too, and the same digest', async () => {
    await addUser(here, { name: 'bob', tags: ['b'], notes: 'x' });
    await addUser(here, { name: 'eve' });
    await rotateSecrets(here, { names: ['bob', 'eve'], olderThanMs: null }, HOUR, 'command');
    await rotateSecrets(here, { names: ['eve'], olderThanMs: null }, HOUR, 'command');
    await closeSecrets(here, { name: 'eve', now: true }, Date.now());
    expect(await copy()).toMatchObject({ imported: 2, replaced: 0, removed: 0, faults: [] });
    const states = async (files: Paths): Promise<unknown> =>
      (await users(files)).map(({ name, tags, notes, secrets }) => {
        const known = secrets.map(({ key: own, state, retiringUntil, retireLimitNetworks }) => {
          return [own, state, ...(state === 'retiring' ? [retiringUntil, retireLimitNetworks] : [])];
        });
        return { name, tags, notes, known: known.toSorted() };
      });
    expect(await states(there)).toEqual(await states(here));
    const [bob, eve] = await users(there);
    expect(bob?.secrets.map(({ state }) => state)).toEqual(['retiring', 'active']);
    expect(eve?.secrets.map(({ state }) => state)).toEqual(['revoked', 'revoked', 'active']);
    expect(await digest(there)).toBe(await digest(here));
    expect(await copy()).toMatchObject({ imported: 0, replaced: 0, removed: 0 });
    await setUser(here, 'bob', () => ({ notes: 'y' }));
    expect(await digest(there)).not.toBe(await digest(here));
  });

  test('keeps ids of users and secrets through a rotation and a new name, so that nobody is cut', async () => {
    await addUser(here, { name: 'bob' });
    await copy();
    const [before] = await users(there);
    await rotateSecrets(here, { names: ['bob'], olderThanMs: null }, HOUR, 'command');
    await setUser(here, 'bob', () => ({ name: 'robert' }));
    expect(await copy()).toMatchObject({ imported: 0, replaced: 1, removed: 0 });
    const [after] = await users(there);
    expect(after).toMatchObject({ id: before?.id, name: 'robert' });
    expect(after?.secrets.map(({ id, state }) => [id, state])).toEqual([
      [before?.secrets[0]?.id, 'retiring'],
      [expect.anything(), 'active'],
    ]);
  });

  test('removes who is not here any more, and revokes secrets that are not here', async () => {
    await addUser(here, { name: 'bob' });
    await addUser(here, { name: 'eve' });
    await copy();
    await addUser(there, { name: 'stranger' });
    await rotateSecrets(there, { names: ['bob'], olderThanMs: null }, HOUR, 'command');
    await removeUser(here, 'eve');
    expect(await copy({ dryRun: true })).toMatchObject({ imported: 0, replaced: 1, removed: 2 });
    expect((await users(there)).map(({ name }) => name)).toEqual(['bob', 'eve', 'stranger']);
    expect(describeImport(await copy()).did).toBe('Changed 1 user, removed 2 users');
    const [bob, ...rest] = await users(there);
    expect([bob?.secrets.map(({ state }) => state), rest]).toEqual([['active', 'revoked'], []]);
  });

  test('gives nobody a secret who has none', async () => {
    await addUser(here, { name: 'bob' });
    await rotateSecrets(here, { names: ['bob'], olderThanMs: null }, 'emergency', 'command');
    const [bob] = await users(here);
    await closeSecrets(here, { name: 'bob', id: bob?.secrets.at(-1)?.id, now: true }, Date.now());
    await copy();
    expect((await users(there))[0]?.secrets.map(({ state }) => state)).toEqual(['revoked', 'revoked']);
  });
});

describe('an import that replaces', () => {
  test('leaves what it has no column for, and secrets that it leaves open', async () => {
    await addUser(there, { name: 'bob', notes: 'x', tags: ['a'] });
    await addUser(there, { name: 'eve' });
    const [bob] = await users(there);
    const old = `${'5a'.repeat(15)}01/revoked/2030-01-01`;
    const result = await importing(`name,tags,secret,old_secrets\nbob,b,,${old}\nann,,,\n`, {
      removeOthers: false,
      allowWeak: true,
    });
    expect(result).toMatchObject({ imported: 1, replaced: 1, removed: 0 });
    const after = await users(there);
    expect(after.map(({ name }) => name)).toEqual(['bob', 'eve', 'ann']);
    expect(after[0]).toEqual({ ...bob, tags: ['b'] });
  });

  test('refuses a secret that somebody else has, and changes nothing then', async () => {
    await addUser(there, { name: 'bob' });
    await addUser(there, { name: 'eve' });
    const [bob] = await users(there);
    const text = `name,secret,tags\neve,${bob?.secrets[0]?.key ?? ''},x\n`;
    expect(await importing(text, { removeOthers: false })).toMatchObject({
      refused: true,
      faults: [{ line: 2, fault: 'bob already has this secret' }],
    });
    expect((await users(there)).map(({ tags }) => tags)).toEqual([[], []]);
  });

  test.each(['x/retiring/2027-01-01', `${'ab'.repeat(16)}/active/2027-01-01`, `${'ab'.repeat(16)}/retiring/soon`])(
    'refuses the old secret %s without showing it',
    async (old) => {
      const { faults } = await importing(`name,old_secrets\nbob,${old}\n`);
      expect(faults).toMatchObject([{ line: 2, fault: 'an old secret is not written as KEY/STATE/TIME' }]);
    },
  );
});
