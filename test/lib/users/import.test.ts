import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/lib/errors.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { exportUsers } from '../../../src/lib/users/export.ts';
import { describeFaults, type Imported, importUsers } from '../../../src/lib/users/import.ts';
import { listUsers, loadUsers } from '../../../src/lib/users/load.ts';
import { MOST_ROWS } from '../../../src/lib/users/room.ts';
import { addUser, setUser } from '../../../src/lib/users/store.ts';
import type { User } from '../../../src/lib/users/user.ts';
import { pathsIn } from '../../support/files.ts';

const KEY = '3acad049c267582aea157109ea935790';
const OTHER = '7be1c03d5f8a42e6913f0d2b6c5a4987';

let dir: string;
let home: string;
let files: Paths;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-import-'));
  home = path.join(dir, 'home');
  files = pathsIn(home);
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function importing(text: string, options: { partial?: boolean; dryRun?: boolean } = {}): Promise<Imported> {
  const file = path.join(dir, 'users.csv');
  await writeFile(file, text, { mode: 0o600 });
  return importUsers(files, file, { partial: false, dryRun: false, allowWeak: false, ...options });
}

const names = async (): Promise<string[]> => (await listUsers(files)).map(({ name }) => name);

/** What an operator decided about users, and their keys. */
const decided = (users: User[]): unknown[] =>
  users.map(({ name, enabled, expiresAt, notes, tags, limits, secrets }) => {
    return { name, enabled, expiresAt, notes, tags, limits, keys: secrets.map(({ key }) => key) };
  });

describe('an import', () => {
  test('of more than a proxy can serve is refused before anything is written', { timeout: 60_000 }, async () => {
    const text = `name\n${Array.from({ length: MOST_ROWS / 2 + 1 }, (_, at) => `user-${at}`).join('\n')}\n`;
    const refusal = { code: 'USERS_FULL', exit: EXIT.precondition };
    for (const dryRun of [true, false]) await expect(importing(text, { dryRun })).rejects.toMatchObject(refusal);
    expect(await names()).toEqual([]);
    await importing('name\nann\n');
    const less = text.slice(0, text.lastIndexOf('user-'));
    await expect(importing(less, { dryRun: true })).rejects.toThrow(/room for 59,998 more, and these are 60,000/);
    expect(await names()).toEqual(['ann']);
  });

  test('of 10,000 users with three bad lines names all three and leaves nothing behind, or what is right', async () => {
    const lines = Array.from({ length: 10_000 }, (_, at) => `user-${at},2,50GB/month,a b`);
    lines[17] = 'not a name,2,50GB/month,a';
    lines[5000] = 'user-5000,two,50GB/month,a';
    lines[9999] = 'USER-3,2,50GB/month,a';
    const text = `name,devices,quota,tags\n${lines.join('\n')}\n`;
    const faults = [
      { line: 19, fault: '"not a name" cannot be a name' },
      { line: 5002, fault: 'devices cannot be "two"' },
      { line: 10_001, fault: 'the same name as on line 5' },
    ];
    expect(await importing(text)).toMatchObject({ imported: 0, refused: true, faults });
    expect(await readdir(dir)).toEqual(['users.csv']);
    expect(await importing(text, { partial: true })).toMatchObject({ imported: 9997, refused: false, faults });
    const { users } = await loadUsers(files);
    expect(users).toHaveLength(9997);
    expect(new Set(users.flatMap(({ secrets }) => secrets.map(({ key }) => key))).size).toBe(9997);
    expect(users.at(-1)).toMatchObject({ name: 'user-9998', tags: ['a', 'b'], limits: { connections: 16 } });
    const { imported, faults: taken } = await importing(text);
    expect([imported, taken.length]).toEqual([0, 10_000]);
    expect(await names()).toHaveLength(9997);
  }, 120_000);

  test('a dry run tells the same and makes no file', async () => {
    expect(await importing('name\nbob\n', { dryRun: true })).toMatchObject({ imported: 1, refused: false, faults: [] });
    expect(await importing('name\nbob\n-\n/\n', { dryRun: true })).toMatchObject({ imported: 0, refused: true });
    expect(await readdir(dir)).toEqual(['users.csv']);
    await addUser(files, { name: 'bob' });
    const again = await importing('name\nbob\neve\n', { dryRun: true, partial: true });
    expect(again).toMatchObject({ imported: 1, faults: [{ line: 2, fault: 'there is already a user named bob' }] });
    expect(await names()).toEqual(['bob']);
  });

  test('a secret that somebody has, in the file or before, is refused by who has it and never shown', async () => {
    await addUser(files, { name: 'bob', key: Buffer.from(KEY, 'hex') });
    const weak = '00112233445566778899aabbccddeeff';
    const { faults } = await importing(
      `name,secret\neve,${KEY}\nann,${OTHER}\ncid,dd${OTHER}\ndan,${weak}\nfay,${OTHER.slice(1)}\n`,
    );
    expect(faults.map(({ line, fault }) => [line, fault])).toEqual([
      [2, 'bob already has this secret'],
      [4, 'the same secret as on line 3'],
      [5, expect.stringContaining('weak')],
      [6, expect.stringContaining('31 hex digits')],
    ]);
    const shown = describeFaults('f', faults).join('\n');
    for (const key of [KEY, OTHER, weak]) expect(shown).not.toContain(key.slice(1));
  });

  test.each([
    ['', 'the column name is missing'],
    ['user\nbob\n', 'no column "user"'],
    ['name,name\nbob,bob\n', 'name is there twice'],
    ['devices\n3\n', 'the column name is missing'],
  ])('of %j is refused by its header', async (text, message) => {
    await expect(importing(text)).rejects.toMatchObject({
      code: 'IMPORT_HEADER',
      exit: EXIT.precondition,
      message: expect.stringContaining(message) as string,
    });
  });

  test.each([
    ['name,devices\nbob\n', 2, '1 fields'],
    ['name\nbob,\n', 2, '2 fields'],
    ['name\neve\n"bob\n', 3, 'not closed'],
    ['name,enabled\nbob,1\n', 2, 'neither yes nor no'],
    ['name,tags\nbob,a/b\n', 2, 'cannot be a tag'],
    ['name,note\nbob,"a\nb"\n', 2, 'one line'],
    ['name\n🙂\n', 2, 'cannot be a name'],
    ['name\n../x\n', 2, 'cannot be a name'],
  ])('of %j is refused by its line', async (text, line, fault) => {
    expect((await importing(text)).faults).toMatchObject([{ line, fault: expect.stringContaining(fault) as string }]);
    expect(await readdir(dir)).toEqual(['users.csv']);
  });

  test('of a file that others can read is warned of where it has secrets', async () => {
    const file = path.join(dir, 'open.csv');
    await writeFile(file, `name,secret\nbob,${KEY}\n`);
    await chmod(file, 0o644);
    const options = { partial: false, dryRun: true, allowWeak: false };
    expect((await importUsers(files, file, options)).warnings).toEqual([expect.stringContaining(`chmod 600 ${file}`)]);
    await chmod(file, 0o600);
    expect((await importUsers(files, file, options)).warnings).toEqual([]);
  });

  test('of a file that is not there is an error', async () => {
    const options = { partial: false, dryRun: false, allowWeak: false };
    await expect(importUsers(files, path.join(dir, 'none'), options)).rejects.toMatchObject({ code: 'FILE_ENOENT' });
  });
});

describe('an export', () => {
  test('with secrets is imported elsewhere as it was, in a file that nobody else can read', async () => {
    await importing(
      'name,devices,max_networks,quota,quota_from,up,down,expires,tags,note,enabled,secret\n' +
        `bob,3,0,1.5GB/week,2027-01-01,500kbit,1Gbit,2027-06-01,b a,"=a, ""b""",no,${KEY} ${OTHER}\n` +
        "eve,,,,,,,,,'quoted',yes,\n",
    );
    const out = path.join(dir, 'out.csv');
    expect(await exportUsers(files, { file: out, format: 'csv', withSecrets: true })).toMatchObject({ users: 2 });
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    const there = pathsIn(path.join(dir, 'elsewhere'));
    const options = { partial: false, dryRun: false, allowWeak: false };
    expect(await importUsers(there, out, options)).toMatchObject({ imported: 2, faults: [], warnings: [] });
    const [before, after] = [await loadUsers(files), await loadUsers(there)];
    expect(before.users[0]).toMatchObject({ notes: '=a, "b"', enabled: false, limits: { networks: 0 } });
    expect(decided(after.users)).toEqual(decided(before.users));
    await expect(exportUsers(files, { file: out, format: 'csv', withSecrets: false })).rejects.toMatchObject({
      code: 'FILE_EEXIST',
    });
  });

  test('without secrets has none, in either format', async () => {
    await addUser(files, { name: 'bob', key: Buffer.from(KEY, 'hex') });
    await setUser(files, 'bob', () => ({ notes: 'x' }));
    for (const format of ['csv', 'json'] as const) {
      const { text } = await exportUsers(files, { file: undefined, format, withSecrets: false });
      expect(text).toContain('bob');
      expect(text).not.toContain(KEY);
    }
    await expect(exportUsers(files, { file: undefined, format: 'csv', withSecrets: true })).rejects.toMatchObject({
      exit: EXIT.usage,
    });
  });
});
