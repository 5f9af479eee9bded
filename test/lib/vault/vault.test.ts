import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ALGORITHMS } from '../../../src/lib/keyring/algorithms.ts';
import { CHUNK_BYTES, TAG_BYTES } from '../../../src/lib/vault/chunks.ts';
import { readHeader } from '../../../src/lib/vault/header.ts';
import { openFile, resealFile, sealFile } from '../../../src/lib/vault/vault.ts';

const PHRASE = Buffer.from('six random words are better');
const how = { algorithm: 'aes-256-gcm' as const, cost: 15, labels: {} };

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-vault-'));
});
afterEach(async () => rm(dir, { recursive: true, force: true }));

const at = (name: string): string => path.join(dir, name);
const into = (name: string, replace = false) => ({ file: at(name), replace });

async function sealed(plain: Buffer, change: Partial<typeof how> = {}, name = 'sealed'): Promise<Buffer> {
  await writeFile(at('plain'), plain);
  await sealFile(at('plain'), into(name, true), PHRASE, { ...how, ...change });
  return readFile(at(name));
}

/** Try to open changed bytes; nothing may be left of them. */
async function expectRefused(bytes: Buffer): Promise<void> {
  await writeFile(at('changed'), bytes);
  await expect(openFile(at('changed'), into('opened'), PHRASE)).rejects.toMatchObject({ code: 'VAULT', exit: 5 });
  expect((await readdir(dir)).filter((name) => name.includes('opened'))).toEqual([]);
}

describe('a sealed file', () => {
  test.each(ALGORITHMS)('opens again to what it was, of any length, with %s', async (algorithm) => {
    for (const length of [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES]) {
      const plain = randomBytes(length);
      const bytes = await sealed(plain, { algorithm: algorithm as 'aes-256-gcm', labels: { a: 'b' } });
      expect(bytes.includes(plain.subarray(0, 32)) && length > 16).toBe(false);
      const { header } = await openFile(at('sealed'), into('opened', true), PHRASE, { a: 'b' });
      expect(header).toMatchObject({ algorithm, labels: { a: 'b' } });
      expect((await readFile(at('opened'))).equals(plain)).toBe(true);
    }
    expect((await stat(at('sealed'))).mode & 0o777).toBe(0o600);
    expect((await stat(at('opened'))).mode & 0o777).toBe(0o600);
  });

  test('is another one each time, and opens with the right passphrase only', async () => {
    const plain = randomBytes(1000);
    const [one, other] = [await sealed(plain), await sealed(plain)];
    const body = (bytes: Buffer): Buffer => bytes.subarray(-1016);
    expect(body(one).equals(body(other))).toBe(false);
    await expect(openFile(at('sealed'), into('opened'), Buffer.from('another phrase'))).rejects.toMatchObject({
      code: 'VAULT',
    });
  });

  test('with any bit changed does not open, and leaves nothing', async () => {
    const bytes = await sealed(randomBytes(100), { labels: { host: 'a' } });
    // Costs that would take long are in the header, and refused or tried as they are.
    const places = Array.from({ length: bytes.length }, (_, place) => place).filter((place) => place !== 7);
    for (const place of places.filter((each) => each % 7 === 0)) {
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] as number) ^ (1 << (place % 8));
      await expectRefused(changed);
    }
  });

  test('that was cut, or had chunks left out, moved or doubled, does not open, and leaves nothing', async () => {
    const bytes = await sealed(randomBytes(4 * CHUNK_BYTES));
    const { length } = readHeader(bytes) as { length: number };
    const size = CHUNK_BYTES + TAG_BYTES;
    const chunk = (number: number): Buffer => bytes.subarray(length + number * size, length + (number + 1) * size);
    const header = bytes.subarray(0, length);
    for (const chunks of [[0, 1, 2], [0, 2, 1, 3], [0, 1, 1, 2, 3], [1, 2, 3], [0, 1, 3], [0, 1, 2, 3, 3], []]) {
      await expectRefused(Buffer.concat([header, ...chunks.map(chunk)]));
    }
    await expectRefused(bytes.subarray(0, bytes.length - 1));
    await expectRefused(bytes.subarray(0, 20));
    await expectRefused(Buffer.concat([bytes, Buffer.alloc(1)]));
  });

  test('takes no header of another file', async () => {
    const [one, other] = [await sealed(randomBytes(100)), await sealed(randomBytes(100))];
    const { length } = readHeader(one) as { length: number };
    await expectRefused(Buffer.concat([one.subarray(0, length), other.subarray(length)]));
  });

  test('replaces nothing unless told, and refuses labels that differ', async () => {
    await sealed(randomBytes(10), { labels: { host: 'a' } });
    await writeFile(at('kept'), 'kept');
    await expect(openFile(at('sealed'), into('kept'), PHRASE)).rejects.toMatchObject({ code: 'FILE_EXISTS', exit: 5 });
    expect(await readFile(at('kept'), 'utf8')).toBe('kept');
    await expect(openFile(at('sealed'), into('x'), PHRASE, { host: 'b' })).rejects.toMatchObject({ code: 'VAULT' });
    await expect(openFile(at('missing'), into('x'), PHRASE)).rejects.toMatchObject({ exit: 5 });
  });
});

describe('sealing anew', () => {
  test.each(ALGORITHMS.map((to, at) => [ALGORITHMS.at(at - 1) ?? to, to] as const))(
    'takes a file from %s to %s, with its labels',
    async (from, to) => {
      const plain = randomBytes(CHUNK_BYTES + 7);
      const bytes = await sealed(plain, { algorithm: from as 'aes-256-gcm', labels: { a: 'b' } });
      const done = await resealFile(at('sealed'), into('sealed', true), PHRASE, { algorithm: to, cost: 15 });
      expect(done.before.algorithm).toBe(from);
      expect((await readFile(at('sealed'))).equals(bytes)).toBe(false);
      const { header } = await openFile(at('sealed'), into('opened', true), PHRASE, { a: 'b' });
      expect(header).toMatchObject({ algorithm: to, labels: { a: 'b' } });
      expect((await readFile(at('opened'))).equals(plain)).toBe(true);
      expect((await readdir(dir)).sort()).toEqual(['opened', 'plain', 'sealed']);
    },
  );

  test('leaves a file as it was where it does not open', async () => {
    const bytes = await sealed(randomBytes(3 * CHUNK_BYTES));
    const how = { algorithm: 'xchacha20-poly1305' as const, cost: 15 };
    await expect(resealFile(at('sealed'), into('sealed', true), Buffer.from('another one'), how)).rejects.toMatchObject(
      {
        code: 'VAULT',
      },
    );
    expect((await readFile(at('sealed'))).equals(bytes)).toBe(true);
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
    await writeFile(at('sealed'), changed);
    await expect(resealFile(at('sealed'), into('sealed', true), PHRASE, how)).rejects.toMatchObject({ code: 'VAULT' });
    expect((await readFile(at('sealed'))).equals(changed)).toBe(true);
    expect((await readdir(dir)).sort()).toEqual(['plain', 'sealed']);
  });
});
