import { createCipheriv, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ctr } from '../../../src/lib/protocol/ctr.ts';

const ivs = fc.oneof(
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // A counter about to overflow into every byte.
  fc
    .integer({ min: 0, max: 16 })
    .map((ones) => Uint8Array.from({ length: 16 }, (_, at) => (at >= 16 - ones ? 0xff : 1))),
);

test('any mix of small and large chunks, with rests, equals one AES-256-CTR stream', () => {
  const chunks = fc.array(fc.tuple(fc.integer({ min: 0, max: 6000 }), fc.boolean()), { maxLength: 20 });
  fc.assert(
    fc.property(ivs, chunks, (iv, plan) => {
      const key = randomBytes(32);
      const ctr = new Ctr(key, iv);
      const data = randomBytes(plan.reduce((sum, [size]) => sum + size, 0));
      const expected = createCipheriv('aes-256-ctr', key, iv).update(data);
      let at = 0;
      const out = plan.map(([size, rest]) => {
        if (rest) ctr.rest();
        const chunk = Buffer.from(data.subarray(at, at + size));
        at += size;
        return Buffer.from(ctr.apply(chunk));
      });
      expect(Buffer.concat(out).equals(expected)).toBe(true);
      expect(ctr.offset).toBe(data.length);
    }),
  );
});
