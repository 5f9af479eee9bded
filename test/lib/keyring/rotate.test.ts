import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ALGORITHMS } from '../../../src/lib/keyring/algorithms.ts';
import { readKeyring } from '../../../src/lib/keyring/keyring.ts';
import { rotateKeys } from '../../../src/lib/keyring/rotate.ts';
import { keyringStatus } from '../../../src/lib/keyring/status.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { loadUsers } from '../../../src/lib/users/load.ts';
import { addUser } from '../../../src/lib/users/store.ts';
import type { User } from '../../../src/lib/users/user.ts';
import { pathsIn } from '../../support/files.ts';

let dir: string;
let files: Paths;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-keys-'));
  files = pathsIn(dir);
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function addSome(count: number): Promise<User[]> {
  for (let at = 0; at < count; at++) await addUser(files, { name: `user-${at}` });
  return (await loadUsers(files)).users;
}

const keyIds = async (): Promise<string[]> => ((await readKeyring(files.keyringFile)) ?? []).map(({ id }) => id);

describe('rotation', () => {
  test.each(ALGORITHMS)(
    'to %s leaves one key, under which everything opens, and changes nothing else',
    async (algorithm) => {
      const users = await addSome(3);
      const [old] = await keyIds();
      const rotation = await rotateKeys(files, algorithm);
      expect(rotation).toMatchObject({ key: { algorithm }, before: { id: old }, secrets: 3, resumed: false });
      expect(await keyIds()).toEqual([rotation.key.id]);
      expect((await loadUsers(files)).users).toEqual(users);
      expect(await keyringStatus(files)).toMatchObject({ inForce: rotation.key, secrets: 3, unfinished: false });
      await addUser(files, { name: 'later' });
      const key = Buffer.from(users[0]?.secrets[0]?.key ?? '', 'hex');
      await expect(addUser(files, { name: 'twin', key })).rejects.toMatchObject({ code: 'KEY_EXISTS' });
      expect((await rotateKeys(files)).key.algorithm).toBe(algorithm);
    },
  );

  test('what was sealed before opens with the old keyring only', async () => {
    await addSome(1);
    const [ledger, keyring] = [await readFile(files.ledgerFile), await readFile(files.keyringFile)];
    await rotateKeys(files);
    await writeFile(files.ledgerFile, ledger);
    await expect(loadUsers(files)).rejects.toMatchObject({ code: 'KEYRING_WRONG' });
    await writeFile(files.keyringFile, keyring);
    expect((await loadUsers(files)).users).toHaveLength(1);
  });

  test('without a secret there is nothing to rotate', async () => {
    await expect(rotateKeys(files)).rejects.toMatchObject({ code: 'NO_USERS', exit: 5 });
  });

  test('a keyring that others can read is reported', async () => {
    await addSome(1);
    await chmod(files.keyringFile, 0o644);
    expect((await keyringStatus(files)).warnings).toEqual([expect.stringContaining('chmod 600')]);
  });

  test('those who read and add meanwhile are served all along', async () => {
    const users = await addSome(3);
    const rotations = (async () => {
      for (let turn = 0; turn < 6; turn++) await rotateKeys(files);
      return 'done';
    })();
    let added = 0;
    for (
      let state = 'rotating';
      state !== 'done';
      state = await Promise.race([rotations, Promise.resolve('rotating')])
    ) {
      expect((await loadUsers(files)).users.slice(0, 3)).toEqual(users);
      await addUser(files, { name: `meanwhile-${added++}` });
    }
    expect((await loadUsers(files)).users).toHaveLength(3 + added);
    expect(await keyIds()).toHaveLength(1);
  });
});

describe('a rotation that is killed', () => {
  const script = fileURLToPath(new URL('interrupted.ts', import.meta.url));
  const interrupt = (step: string): void => {
    const { signal, stderr } = spawnSync(process.execPath, [script, dir, step], { encoding: 'utf8' });
    expect(signal, stderr).toBe('SIGKILL');
  };
  const steps = ['key-added', 'resealed', 'committed', 'verified', 'dropped'] as const;

  test.each(steps)(
    'at "%s", again and again, loses nothing and is finished by the next',
    async (step) => {
      const users = await addSome(5);
      const [old] = await keyIds();
      for (let round = 0; round < 3; round++) {
        interrupt(step);
        expect((await loadUsers(files)).users).toEqual(users);
        expect(await keyringStatus(files)).toMatchObject({ secrets: 5, unfinished: step !== 'dropped' });
      }
      const { key, resumed } = await rotateKeys(files);
      expect(resumed).toBe(step !== 'dropped');
      expect(await keyIds()).toEqual([key.id]);
      expect(key.id).not.toBe(old);
      expect((await loadUsers(files)).users).toEqual(users);
      await addUser(files, { name: 'later' });
      expect((await loadUsers(files)).users).toHaveLength(6);
    },
    60_000,
  );

  test('on its way to one algorithm is finished, then done again for another', async () => {
    await addSome(2);
    spawnSync(process.execPath, [script, dir, 'committed', 'chacha20-poly1305']);
    expect((await rotateKeys(files, 'aes-128-gcm')).key.algorithm).toBe('aes-128-gcm');
    expect(await keyIds()).toHaveLength(1);
  });

  test('at any other moment loses nothing either', async () => {
    const users = await addSome(5);
    for (const timeout of [120, 150, 180, 200, 220, 240, 260, 300]) {
      spawnSync(process.execPath, [script, dir, 'never'], { timeout, killSignal: 'SIGKILL' });
      expect((await loadUsers(files)).users).toEqual(users);
    }
    await rotateKeys(files);
    expect(await keyIds()).toHaveLength(1);
  }, 60_000);
});
