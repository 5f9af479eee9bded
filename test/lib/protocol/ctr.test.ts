import { createCipheriv, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ctr } from '../../../src/lib/protocol/ctr.ts';
import { bothWays } from '../../support/accelerator.ts';

const ivs = fc.oneof(
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // A counter about to overflow into every byte.
  fc
    .integer({ min: 0, max: 16 })
    .map((ones) => Uint8Array.from({ length: 16 }, (_, at) => (at >= 16 - ones ? 0xff : 1))),
);

/** Lengths of chunks; before each the streams may rest. */
const plans = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 0, max: 6000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 30_000, max: 70_000 }) },
    ),
    fc.boolean(),
  ),
  { maxLength: 20 },
);

function bytesOf(plan: [number, boolean][]): Buffer {
  return randomBytes(plan.reduce((sum, [size]) => sum + size, 0));
}

/** What comes of the chunks of `data` one by one, each at an odd place of a larger buffer. */
function inChunks(data: Buffer, plan: [number, boolean][], change: (chunk: Buffer, rest: boolean) => Buffer): Buffer {
  let at = 0;
  const out = plan.map(([size, rest]) => {
    const room = Buffer.alloc(size + 10, 0x5a);
    const chunk = room.subarray(3, 3 + size);
    data.copy(chunk, 0, at, at + size);
    at += size;
    const changed = Buffer.from(change(chunk, rest));
    expect(room.subarray(0, 3).toString() + room.subarray(3 + size).toString()).toBe('Z'.repeat(10));
    return changed;
  });
  return Buffer.concat(out);
}

/** `data` through a stream that is `start` bytes in. */
function streamAt(key: Buffer, iv: Uint8Array, start: number, data: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-ctr', key, iv);
  cipher.update(Buffer.alloc(start));
  return cipher.update(data);
}

bothWays(() => {
  test('any mix of small and large chunks, with rests, equals one AES-256-CTR stream', () => {
    fc.assert(
      fc.property(ivs, plans, (iv, plan) => {
        const key = randomBytes(32);
        const ctr = new Ctr(Buffer.concat([key, iv]));
        const data = bytesOf(plan);
        const out = inChunks(data, plan, (chunk, rest) => {
          if (rest) ctr.rest();
          return ctr.apply(chunk);
        });
        expect(out.equals(createCipheriv('aes-256-ctr', key, iv).update(data))).toBe(true);
        expect(ctr.offset).toBe(data.length);
        ctr.rest();
      }),
    );
  });

  test('re-encryption takes bytes out of one stream and puts them into another, wherever both stand', () => {
    const starts = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(ivs, ivs, starts, starts, plans, (fromIv, toIv, fromStart, toStart, plan) => {
        const [fromKey, toKey] = [randomBytes(32), randomBytes(32)];
        const [from, to] = [new Ctr(Buffer.concat([fromKey, fromIv])), new Ctr(Buffer.concat([toKey, toIv]))];
        from.apply(Buffer.alloc(fromStart));
        to.apply(Buffer.alloc(toStart));
        const data = bytesOf(plan);
        const out = inChunks(data, plan, (chunk, rest) => {
          if (rest) (chunk.length % 2 === 0 ? from : to).rest();
          return Ctr.recrypt(from, to, chunk, chunk.length).subarray(0, chunk.length);
        });
        const plain = streamAt(fromKey, fromIv, fromStart, data);
        expect(out.equals(streamAt(toKey, toIv, toStart, plain))).toBe(true);
        expect([from.offset, to.offset]).toEqual([fromStart + data.length, toStart + data.length]);
        from.rest();
        to.rest();
      }),
    );
  });

  test('more streams at once than an accelerator holds go on where they were', () => {
    const key = randomBytes(32);
    const streams = Array.from({ length: 5000 }, (_, number) => {
      const iv = Buffer.alloc(16);
      iv.writeUInt32BE(number);
      return {
        ctr: new Ctr(Buffer.concat([key, iv])),
        expected: createCipheriv('aes-256-ctr', key, iv).update(Buffer.alloc(25)),
      };
    });
    const first = streams.map(({ ctr }) => Buffer.from(ctr.apply(Buffer.alloc(11))));
    for (const [number, { ctr, expected }] of streams.entries()) {
      const whole = Buffer.concat([first[number] as Buffer, ctr.apply(Buffer.alloc(14))]);
      expect(whole.equals(expected)).toBe(true);
    }
    for (const { ctr } of streams) ctr.rest();
  });
});
