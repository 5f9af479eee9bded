import fc from 'fast-check';
import { HELLOS } from './corpus.ts';
import { type Mutate, mutator } from './mutate.ts';
import { piecesOf } from './random.ts';

/** ClientHellos: made, cut into records, and put together from two. */

function record(payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0x16, 3, 1, payload.length >> 8, payload.length & 0xff]), payload]);
}

/** The message of the first record in up to sixteen records, or one too many. */
const reframe: Mutate = (input, random) => {
  const message = input.subarray(5);
  return Buffer.concat(piecesOf(message, random.cuts(message.length, 16)).map(record));
};

/** The beginning of one hello and the end of another, cut at the same place or at the same field. */
const recombine: Mutate = (input, random) => {
  const other = random.pick(HELLOS);
  const at = random.oneIn(2) ? random.pick([5, 9, 11, 43, 44, 76]) : random.below(input.length);
  return Buffer.concat([input.subarray(0, at), other.subarray(at)]);
};

/** Lengths of record and message made to fit what is there. */
const repair: Mutate = (input) => {
  const out = Buffer.from(input);
  if (out.length < 9) return out;
  out.writeUInt16BE(Math.min(out.length - 5, 65_535), 3);
  out.writeUIntBE(out.length - 9, 6, 3);
  return out;
};

export const mutateHello = mutator(reframe, recombine, repair);

const bytes = (constraints: fc.IntArrayConstraints): fc.Arbitrary<Buffer> =>
  fc.uint8Array(constraints).map((array) => Buffer.from(array));
const sized = (width: 1 | 2 | 3, body: Buffer): Buffer => {
  const length = Buffer.alloc(width);
  length.writeUIntBE(body.length, 0, width);
  return Buffer.concat([length, body]);
};
const extension = fc
  .tuple(fc.oneof(fc.constantFrom(0, 51, 43, 16), fc.nat(65_535)), bytes({ maxLength: 80 }))
  .map(([type, body]) => Buffer.concat([Buffer.from([type >> 8, type & 0xff]), sized(2, body)]));

/** A hello that adds up, with any session id, ciphers and extensions. */
export const anyHello = fc
  .tuple(
    bytes({ minLength: 34, maxLength: 34 }),
    bytes({ maxLength: 33 }),
    bytes({ maxLength: 40 }),
    fc.array(extension, { maxLength: 8 }),
  )
  .map(([head, sessionId, ciphers, extensions]) => {
    const body = Buffer.concat([
      head,
      sized(1, sessionId),
      sized(2, ciphers),
      Buffer.from([1, 0]),
      sized(2, Buffer.concat(extensions)),
    ]);
    return record(Buffer.concat([Buffer.from([1]), sized(3, body)]));
  });
