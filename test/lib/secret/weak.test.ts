import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { refuseWeak, weakness } from '../../../src/lib/secret/weak.ts';

describe('weakness', () => {
  test.each([
    ['00000000000000000000000000000000', 'zero'],
    ['ffffffffffffffffffffffffffffffff', 'repeats'],
    ['deadbeefdeadbeefdeadbeefdeadbeef', 'repeats'],
    ['0123456789abcdef0123456789abcdef', 'repeats'],
    ['00112233445566778899aabbccddeeff', 'count'],
    ['000102030405060708090a0b0c0d0e0f', 'count'],
    ['ffeeddccbbaa99887766554433221100', 'count'],
    ['00000000000000000000000000000001', 'published'],
    ['367a189aee18fa31c190054efd4a8e95', 'published'],
    ['01000200030001020301000003010200', 'few'],
  ])('%s is weak: %s', (hex, why) => {
    expect(weakness(Buffer.from(hex, 'hex'))).toContain(why);
  });

  test('random keys are not weak', () => {
    for (let count = 0; count < 2000; count++) expect(weakness(randomBytes(16))).toBeUndefined();
  });

  test('a weak key is refused unless the operator insists', () => {
    const key = Buffer.alloc(16);
    expect(() => refuseWeak(key, false)).toThrow(/weak: it is all zero/);
    expect(() => refuseWeak(key, true)).not.toThrow();
  });
});
