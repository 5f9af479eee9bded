import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InnerHeaderReader } from '../../../src/daemon/engine/stages/inner-header.ts';
import { openHeader } from '../../../src/lib/protocol/obfuscated2.ts';
import { framedBytes, frameRecords, RecordReader } from '../../../src/lib/protocol/tls-record.ts';
import { loadAccelerator } from '../../../src/lib/system/accelerator.ts';
import { FORM_PLACES } from '../../../src/lib/system/native-lanes.ts';
import { BARE, SECRET } from '../corpus.ts';
import { mutator } from '../mutate.ts';
import { piecesOf, type Random } from '../random.ts';
import { alone, type Target } from '../target.ts';

/** The stream inside records as protocol.md §3.9 has it, up to the first record that no client sends. */
function streamIn(wire: Buffer): { stream: Buffer; broken: boolean } {
  const parts: Buffer[] = [];
  for (let at = 0; at + 5 <= wire.length;) {
    const [type, version, length] = [wire[at], wire.readUInt16BE(at + 1), wire.readUInt16BE(at + 3)];
    const known = type === 0x17 || (type === 0x14 && length === 1);
    if (!known || version !== 0x0303 || length > 16_640) return { stream: Buffer.concat(parts), broken: true };
    if (type === 0x17) parts.push(wire.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return { stream: Buffer.concat(parts), broken: false };
}

const native = loadAccelerator((reason) => {
  throw new Error(reason);
});

/** The reader of the lanes, where there are any. */
function laneReader(): Pick<RecordReader, 'unwrap'> | null {
  const form = new Float64Array(FORM_PLACES);
  const unwrap = native?.unwrap;
  return unwrap === undefined ? null : { unwrap: (buffer, length) => unwrap(form, buffer, 0, length) };
}

/** What a reader makes of a stream that comes in pieces; each piece is a copy, as the reader changes it. */
function unwrapAll(
  reader: Pick<RecordReader, 'unwrap'>,
  pieces: readonly Buffer[],
): { stream: Buffer; broken: boolean } {
  const parts: Buffer[] = [];
  for (const piece of pieces) {
    const copy = Buffer.from(piece);
    const count = reader.unwrap(copy, copy.length);
    if (count === -1) return { stream: Buffer.concat(parts), broken: true };
    assert.ok(count <= copy.length, 'more comes out than went in');
    parts.push(copy.subarray(0, count));
  }
  return { stream: Buffer.concat(parts), broken: false };
}

function unwrapping(input: Buffer, random: Random): void {
  const expected = streamIn(input);
  const pieces = piecesOf(input, random.cuts(input.length, 12));
  const got = unwrapAll(new RecordReader(), pieces);
  const lane = laneReader();
  if (lane !== null) assert.deepEqual(unwrapAll(lane, pieces), got, 'lanes take it for another stream');
  assert.equal(got.broken, expected.broken);
  // What stood before a broken record in the same piece is not given out.
  if (got.broken) assert.ok(expected.stream.subarray(0, got.stream.length).equals(got.stream), 'not a beginning of it');
  else assert.ok(got.stream.equals(expected.stream), 'another stream');
  const framed = Buffer.alloc(framedBytes(input.length));
  assert.equal(frameRecords(input, framed), framed.length);
  assert.ok(unwrapAll(new RecordReader(), [framed]).stream.equals(input), 'what is framed does not come back');
}

/** Header and what follows it, in any pieces: the same header and the same stream behind it. */
function opening(input: Buffer, random: Random): void {
  const { stream, broken } = streamIn(input);
  const expected = stream.length < 64 ? null : openHeader(stream, SECRET);
  const reader = new InnerHeaderReader(SECRET);
  const pieces = piecesOf(input, random.cuts(input.length, 8));
  for (const [at, piece] of pieces.entries()) {
    const read = reader.push(Buffer.from(piece));
    if (read === 'incomplete') continue;
    if (read === 'invalid') {
      assert.ok(broken || (stream.length >= 64 && expected === null), 'a good header is refused');
      return;
    }
    assert.deepEqual(
      [read.header.transport, read.header.dc, read.header.downKeyIv],
      [expected?.transport, expected?.dc, expected?.downKeyIv],
    );
    const after = unwrapAll(reader.records, pieces.slice(at + 1));
    const rest = Buffer.concat([read.rest, after.stream]);
    assert.ok(stream.subarray(64, 64 + rest.length).equals(rest), 'another stream behind the header');
    assert.ok(after.broken || rest.length === stream.length - 64, 'bytes are missing');
    return;
  }
  assert.ok(stream.length < 64 && !broken, 'it waits for more');
}

const CCS = Buffer.from([0x14, 3, 3, 0, 1, 1]);

function record(payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0x17, 3, 3, payload.length >> 8, payload.length & 0xff]), payload]);
}

const piece = fc.oneof(fc.constant(CCS), fc.uint8Array({ maxLength: 200 }).map(record));
const anyStream = fc.array(piece, { maxLength: 12 }).map((parts) => Buffer.concat(parts));
/** A client's header in records of all sizes, and more of its stream. */
const openings = fc
  .tuple(fc.constantFrom(...BARE), fc.array(fc.nat(64), { maxLength: 4 }), anyStream)
  .map(([header, cuts, tail]) => {
    const pieces = piecesOf(
      header,
      cuts.sort((a, b) => a - b),
    ).map(record);
    return Buffer.concat([CCS, ...pieces, tail]);
  });
const largest = [16_384, 16_640, 16_641].map((length) => Buffer.concat([CCS, record(Buffer.alloc(length, 'x')), CCS]));

export const RECORD_TARGETS: Target[] = [
  {
    name: 'tls-records',
    weight: 14,
    corpus: largest.slice(0, 1),
    arbitrary: fc.oneof(anyStream, openings, fc.constantFrom(...largest)),
    mutate: mutator(),
    open: alone(unwrapping),
  },
  {
    name: 'inner-header',
    weight: 8,
    corpus: [],
    arbitrary: openings,
    mutate: mutator(),
    open: alone(opening),
  },
];
