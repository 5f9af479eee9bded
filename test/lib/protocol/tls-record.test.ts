import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { framedBytes, frameRecords, RecordReader } from '../../../src/lib/protocol/tls-record.ts';

const CCS = Buffer.from([0x14, 3, 3, 0, 1, 1]);

function record(payload: Uint8Array, type = 0x17, version = 0x0303): Buffer {
  return Buffer.concat([
    Buffer.from([type, version >> 8, version & 0xff, payload.length >> 8, payload.length & 0xff]),
    payload,
  ]);
}

/** Feed `wire` in pieces of the given sizes and join what comes out. */
function unwrapAll(wire: Buffer, pieces: number[]): Buffer | -1 {
  const reader = new RecordReader();
  const out: Buffer[] = [];
  for (let at = 0, turn = 0; at < wire.length; turn++) {
    const piece = Buffer.from(wire.subarray(at, at + (pieces[turn % pieces.length] ?? wire.length)));
    const count = reader.unwrap(piece, piece.length);
    if (count === -1) return -1;
    out.push(piece.subarray(0, count));
    at += piece.length;
  }
  return Buffer.concat(out);
}

const pieces = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 });

test('the payload comes out whatever the records and the split, with CCS anywhere', () => {
  const parts = fc.array(fc.tuple(fc.uint8Array({ maxLength: 2000 }), fc.boolean()), { maxLength: 12 });
  fc.assert(
    fc.property(parts, pieces, (records, sizes) => {
      const wire = Buffer.concat(
        records.flatMap(([payload, ccs]) => (ccs ? [CCS, record(payload)] : [record(payload)])),
      );
      expect(unwrapAll(wire, sizes)).toEqual(Buffer.concat(records.map(([payload]) => payload)));
    }),
  );
});

test('a header over three reads and a record of 16,640 bytes are accepted', () => {
  const payload = randomBytes(16_640);
  expect(unwrapAll(record(payload), [2, 2, 1, 9000])).toEqual(payload);
});

test.each([
  ['an alert', record(Buffer.alloc(2), 0x15)],
  ['a handshake record', record(Buffer.alloc(4), 0x16)],
  ['an old version', record(Buffer.alloc(4), 0x17, 0x0301)],
  ['a record of 16,641 bytes', record(Buffer.alloc(16_641))],
  ['a change-cipher-spec of two bytes', record(Buffer.alloc(2), 0x14)],
])('%s ends the stream', (_, wire) => {
  expect(unwrapAll(wire, [7])).toBe(-1);
});

test('no bytes make it throw, and it never gives more than it took', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), pieces, (bytes, sizes) => {
      const out = unwrapAll(Buffer.from(bytes), sizes);
      expect(out === -1 || out.length <= bytes.length).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test('what is framed is unwrapped again, in records of at most 16,384 bytes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100_000 }), pieces, (length, sizes) => {
      const payload = randomBytes(length);
      const out = Buffer.alloc(framedBytes(length));
      expect(frameRecords(payload, out)).toBe(out.length);
      expect(unwrapAll(out, sizes)).toEqual(payload);
      for (let at = 0; at < out.length; at += 5 + out.readUInt16BE(at + 3)) {
        expect(out.readUInt16BE(at + 3)).toBeLessThanOrEqual(16_384);
      }
    }),
    { numRuns: 50 },
  );
});
