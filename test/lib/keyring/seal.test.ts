import { hkdfSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ALGORITHMS, CIPHERS } from '../../../src/lib/keyring/algorithms.ts';
import { fingerprinter, keyIdOf, seal, type SealingKey, unseal } from '../../../src/lib/keyring/seal.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const SUNSCREEN = Buffer.from(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
);
const GCM = {
  nonce: 'cafebabefacedbaddecaf888',
  aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
  plain: `d9313225f88406e5a55909c5aff5269a 86a7a9531534f7da2e4c303d8a318a72
    1c3c0c95956809532fcf0e2449a6b525 b16aedf5aa0de657ba637b39`,
};

describe('official vectors', () => {
  test('HKDF-SHA256: RFC 5869 A.1', () => {
    const [ikm, salt, info] = [hex('0b'.repeat(22)), hex('000102030405060708090a0b0c'), hex('f0f1f2f3f4f5f6f7f8f9')];
    expect(Buffer.from(hkdfSync('sha256', ikm, salt, info, 42))).toEqual(
      hex('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'),
    );
  });

  test.each([
    {
      name: 'AES-128-GCM: test case 4 of the GCM submission to NIST',
      algorithm: 'aes-128-gcm' as const,
      key: 'feffe9928665731c6d6a8f9467308308',
      ...GCM,
      sealed: `42831ec2217774244b7221b784d0d49c e3aa212f2c02a4e035c17e2329aca12e
        21d514b25466931c7d8f6a5aac84aa05 1ba30b396a0aac973d58e091 5bc94fbc3221a5db94fae95ae7121a47`,
    },
    {
      name: 'AES-256-GCM: test case 16 of the GCM submission to NIST',
      algorithm: 'aes-256-gcm' as const,
      key: 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
      ...GCM,
      sealed: `522dc1f099567d07f47f37a32a84427d 643a8cdcbfe5c0c97598a2bd2555d1aa
        8cb08e48590dbb3da7b08b1056828838 c5f61e6393ba7a0abcc9f662 76fc6ece0f4e1768cddf8853bb2d551b`,
    },
    {
      name: 'ChaCha20-Poly1305: RFC 8439 §2.8.2',
      algorithm: 'chacha20-poly1305' as const,
      key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
      nonce: '070000004041424344454647',
      aad: '50515253c0c1c2c3c4c5c6c7',
      plain: SUNSCREEN.toString('hex'),
      sealed: `d31a8d34648e60db7b86afbc53ef7ec2 a4aded51296e08fea9e2b5a736ee62d6
        3dbea45e8ca9671282fafb69da92728b 1a71de0a9e060b2905d6a5b67ecd3b36 92ddbd7f2d778b8c9803aee328091b58
        fab324e4fad675945585808b4831d7bc 3ff4def08e4b7a9de576d26586cec64b 6116 1ae10b594f09e26a7e902ecbd0600691`,
    },
    {
      name: 'XChaCha20-Poly1305: draft-irtf-cfrg-xchacha-03 A.3.1',
      algorithm: 'xchacha20-poly1305' as const,
      key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
      nonce: '404142434445464748494a4b4c4d4e4f5051525354555657',
      aad: '50515253c0c1c2c3c4c5c6c7',
      plain: SUNSCREEN.toString('hex'),
      sealed: `bd6d179d3e83d43b9576579493c0e939 572a1700252bfaccbed2902c21396cbb
        731c7f1b0b4aa6440bf3a82f4eda7e39 ae64c6708c54c216cb96b72e1213b452 2f8c9ba40db5d945b11b69b982c1bb9e
        3f3fac2bc369488f76b2383565d3fff9 21f9664c97637da9768812f615c68b13 b52e c0875924c1c7987947deafd8780acf49`,
    },
  ])('$name', async ({ algorithm, key, nonce, aad, plain, sealed }) => {
    const cipher = CIPHERS[algorithm];
    const args = [hex(key), hex(nonce), hex(aad)] as const;
    expect((await cipher.encrypt(...args, hex(plain))).toString('hex')).toBe(hex(sealed).toString('hex'));
    expect(await cipher.decrypt(...args, hex(sealed))).toEqual(hex(plain));
  });
});

const keyOf = (algorithm: SealingKey['algorithm']): SealingKey => ({
  id: '0011223344556677',
  algorithm,
  material: randomBytes(32),
});
const NAME = { purpose: 'secret', id: 'aabbccddeeff0011' };

describe.each(ALGORITHMS)('sealed with %s', (algorithm) => {
  const key = keyOf(algorithm);

  test('any record comes back as it was, and never looks the same twice', async () => {
    const texts = [fc.uint8Array({ maxLength: 64 }), fc.string(), fc.string({ minLength: 1 })] as const;
    const property = fc.asyncProperty(...texts, async (bytes, purpose, id) => {
      const plain = Buffer.from(bytes);
      const one = await seal(key, { purpose, id }, plain, randomBytes);
      const two = await seal(key, { purpose, id }, plain, randomBytes);
      expect(one.equals(two)).toBe(false);
      expect(keyIdOf(one)).toBe(key.id);
      expect(await unseal(key, { purpose, id }, one)).toEqual(plain);
      // The same letters in a row, with the border elsewhere.
      expect(await unseal(key, { purpose: purpose + id.slice(0, 1), id: id.slice(1) }, one)).toBeNull();
    });
    await fc.assert(property, { numRuns: 30 });
  });

  test('a change of any bit, a missing byte and one too many are refused', async () => {
    const blob = await seal(key, NAME, randomBytes(16), randomBytes);
    for (let bit = 0; bit < blob.length * 8; bit++) {
      const changed = Buffer.from(blob);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(await unseal(key, NAME, changed), `bit ${bit}`).toBeNull();
    }
    for (let length = 0; length < blob.length; length++) {
      expect(await unseal(key, NAME, blob.subarray(0, length)), `${length} bytes`).toBeNull();
    }
    expect(await unseal(key, NAME, Buffer.concat([blob, Buffer.alloc(1)]))).toBeNull();
  });

  test('it stands in for no other record, and no other key opens it', async () => {
    const blob = await seal(key, NAME, randomBytes(16), randomBytes);
    expect(await unseal(key, { ...NAME, id: 'aabbccddeeff0012' }, blob)).toBeNull();
    expect(await unseal(key, { ...NAME, purpose: 'token' }, blob)).toBeNull();
    expect(await unseal({ ...key, material: randomBytes(32) }, NAME, blob)).toBeNull();
    expect(await unseal({ ...key, id: '0011223344556678' }, NAME, blob)).toBeNull();
    for (const other of ALGORITHMS.filter((one) => one !== algorithm)) {
      expect(await unseal({ ...key, algorithm: other }, NAME, blob)).toBeNull();
    }
  });
});

test('fingerprints tell secrets apart, and depend on the key', () => {
  const key = keyOf('aes-256-gcm');
  const secret = randomBytes(16);
  expect(fingerprinter(key)(secret)).toEqual(fingerprinter(key)(secret));
  expect(fingerprinter(key)(randomBytes(16))).not.toEqual(fingerprinter(key)(secret));
  expect(fingerprinter(keyOf('aes-256-gcm'))(secret)).not.toEqual(fingerprinter(key)(secret));
});
