import { hkdfSync, scryptSync } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import { fileKey, stretch } from '../../../src/lib/vault/chunks.ts';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

describe('RFC 7914 §12', () => {
  test.each([
    { phrase: '', salt: '', N: 16, r: 1, key: '77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442' },
    {
      phrase: 'password',
      salt: 'NaCl',
      N: 1024,
      r: 8,
      p: 16,
      key: 'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162',
    },
    {
      phrase: 'pleaseletmein',
      salt: 'SodiumChloride',
      N: 16_384,
      r: 8,
      key: '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2',
    },
  ])('scrypt of "$phrase" with N = $N', ({ phrase, salt, N, r, p = 1, key }) => {
    expect(scryptSync(phrase, salt, 32, { N, r, p, maxmem: 64 * 2 ** 20 })).toEqual(hex(key));
  });

  it('is what a passphrase is stretched by: the last of its vectors, as far as 32 bytes go', async () => {
    expect(await stretch(Buffer.from('pleaseletmein'), Buffer.from('SodiumChloride'), 14)).toEqual(
      hex('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2'),
    );
  });
});

describe('RFC 5869, SHA-256', () => {
  test('A.2: long inputs', () => {
    const range = (from: number, to: number): Buffer =>
      Buffer.from(Array.from({ length: to - from }, (_, at) => from + at));
    const key = hkdfSync('sha256', range(0x00, 0x50), range(0x60, 0xb0), range(0xb0, 0x100), 82);
    expect(Buffer.from(key)).toEqual(
      hex(`b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c
        59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71
        cc30c58179ec3e87c14c01d5c1f3434f1d87`),
    );
  });

  test('A.3: no salt and no info', () => {
    expect(Buffer.from(hkdfSync('sha256', hex('0b'.repeat(22)), '', '', 42))).toEqual(
      hex('8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8'),
    );
  });
});

test('one passphrase gives every file a key of its own', async () => {
  const header = { algorithm: 'aes-256-gcm' as const, cost: 15, prefix: Buffer.alloc(16), labels: {} };
  const [one, other] = await Promise.all(
    [Buffer.alloc(32, 1), Buffer.alloc(32, 2)].map(async (salt) =>
      fileKey(Buffer.from('a phrase'), { ...header, salt }),
    ),
  );
  expect(one).not.toEqual(other);
});
