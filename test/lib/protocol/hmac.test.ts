import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HMAC_ROOM, hmacSha256 } from '../../../src/lib/protocol/hmac.ts';

test('it is the HMAC of node:crypto, key after key on the same message', () => {
  const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
  fc.assert(
    fc.property(bytes(3000), fc.array(bytes(HMAC_ROOM), { minLength: 1, maxLength: 4 }), (message, keys) => {
      const padded = Buffer.concat([Buffer.alloc(HMAC_ROOM), message]);
      for (const key of keys) {
        expect(hmacSha256(padded, key)).toEqual(createHmac('sha256', key).update(message).digest());
      }
    }),
  );
});
