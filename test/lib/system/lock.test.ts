import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/lib/errors.ts';
import { withLock } from '../../../src/lib/system/lock.ts';

let dir: string;
let file: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-lock-'));
  file = path.join(dir, 'x.lock');
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe('withLock', () => {
  test('one action runs at a time', async () => {
    let inside = 0;
    let most = 0;
    const action = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
    };
    await Promise.all(Array.from({ length: 6 }, () => withLock(file, action)));
    expect(most).toBe(1);
  });

  test('the lock goes away with the action, also when it fails', async () => {
    await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await readdir(dir)).toEqual([]);
  });

  test('a lock of a living process is waited for, then named with exit status 75', async () => {
    await withLock(file, async () => {
      await expect(withLock(file, () => Promise.resolve(), 60)).rejects.toMatchObject({
        code: 'TEMPORARY',
        exit: EXIT.temporary,
        message: expect.stringContaining(`process ${process.pid}`) as string,
      });
    });
  });

  test('a lock whose process is gone is taken over, by all waiters in turn', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    await symlink(`${child.pid}:1`, file);
    let ran = 0;
    await Promise.all(Array.from({ length: 4 }, () => withLock(file, () => Promise.resolve(ran++))));
    expect(ran).toBe(4);
    expect(await readdir(dir)).toEqual([]);
  });

  test('a lock of an earlier process with the number of a living one is taken over', async () => {
    await symlink(`${process.pid}:1`, file);
    expect(await withLock(file, () => Promise.resolve('done'), 60)).toBe('done');
  });

  test('a directory that is missing is an error that names the lock', async () => {
    await expect(withLock(path.join(dir, 'no', 'x.lock'), () => Promise.resolve())).rejects.toMatchObject({
      code: 'FILE_ENOENT',
    });
    await expect(readFile(file)).rejects.toThrow();
  });
});
