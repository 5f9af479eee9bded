import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { authenticate, collectHello, readHello } from '../../../src/lib/protocol/client-hello.ts';

const key = Buffer.alloc(16, 7);

/** A signed hello with any session id and extension bytes, whether they add up or not. */
const hellos = fc
  .record({
    sessionId: fc.uint8Array({ maxLength: 32 }),
    tail: fc.uint8Array({ maxLength: 3000 }),
    time: fc.integer({ min: 0, max: 0xffffffff }),
  })
  .map(({ sessionId, tail, time }) => {
    const body = Buffer.concat([
      Buffer.from([3, 3]),
      Buffer.alloc(32),
      Buffer.from([sessionId.length]),
      sessionId,
      Buffer.from([0, 2, 0x13, 0x01, 1, 0]),
      tail,
    ]);
    const message = Buffer.concat([Buffer.from([1, 0, body.length >> 8, body.length & 0xff]), body]);
    const record = Buffer.concat([Buffer.from([0x16, 3, 1, message.length >> 8, message.length & 0xff]), message]);
    const digest = createHmac('sha256', key).update(record).digest();
    digest.writeUInt32LE((digest.readUInt32LE(28) ^ time) >>> 0, 28);
    digest.copy(record, 11);
    return { record, time };
  });

function inRecords(record: Buffer, cuts: number[]): Buffer {
  const message = record.subarray(5);
  const at = [0, ...cuts.map((cut) => 1 + (cut % (message.length - 1))).sort((a, b) => a - b), message.length];
  const parts = at.slice(1).map((end, index) => message.subarray(at[index], end));
  return Buffer.concat(
    parts
      .filter((part) => part.length > 0)
      .map((part) => Buffer.concat([Buffer.from([0x16, 3, 1, part.length >> 8, part.length & 0xff]), part])),
  );
}

test('a signed hello authenticates whatever its extensions are', () => {
  fc.assert(
    fc.property(hellos, ({ record, time }) => {
      const collected = collectHello(record);
      const hello = collected.state === 'complete' ? readHello(collected.record) : null;
      expect(hello === null ? null : authenticate(hello, key)).toBe(time);
      expect(hello === null ? 0 : authenticate(hello, Buffer.alloc(16, 8))).toBeNull();
    }),
  );
});

test('up to ten records are put together as the one that was signed', () => {
  fc.assert(
    fc.property(hellos, fc.array(fc.nat(), { maxLength: 9 }), ({ record }, cuts) => {
      const wire = inRecords(record, cuts);
      const collected = collectHello(Buffer.concat([wire, Buffer.from('more')]));
      expect(collected).toMatchObject({ state: 'complete', consumed: wire.length });
      expect(collected.state === 'complete' && collected.record.equals(record)).toBe(true);
    }),
  );
});

test('every beginning of a hello is incomplete, never foreign', () => {
  fc.assert(
    fc.property(hellos, fc.array(fc.nat(), { maxLength: 9 }), fc.nat(), ({ record }, cuts, end) => {
      const wire = inRecords(record, cuts);
      expect(collectHello(wire.subarray(0, end % wire.length)).state).toBe('incomplete');
    }),
  );
});

test('no bytes make it throw', () => {
  const likeHello = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.concat([Buffer.from([0x16, 3, 1]), bytes]));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
        likeHello,
      ),
      (bytes) => {
        const collected = collectHello(bytes);
        if (collected.state === 'complete') readHello(collected.record);
        expect(['incomplete', 'foreign', 'complete']).toContain(collected.state);
      },
    ),
    { numRuns: 2000 },
  );
});

test.each([
  ['HTTP', 'GET / HTTP/1.1\r\n'],
  ['an alert', '\x15\x03\x01\x00\x02'],
  ['a ServerHello', '\x16\x03\x03\x00\x40\x02'],
  ['a record of no bytes', '\x16\x03\x01\x00\x00'],
  ['a record that is too long', '\x16\x03\x01\x40\x01'],
  ['a handshake message that is too long', '\x16\x03\x01\x10\x00\x01\x00\xff\xff'],
])('%s is foreign at first sight', (_, text) => {
  expect(collectHello(Buffer.from(text, 'latin1')).state).toBe('foreign');
});

test('more than sixteen records are foreign', () => {
  const dribble = Buffer.concat([
    ...Array.from({ length: 16 }, (_, at) => Buffer.from([0x16, 3, 1, 0, 1, at === 0 ? 1 : 0])),
    Buffer.from([0x16, 3, 1, 0, 1]),
  ]);
  expect(collectHello(dribble).state).toBe('foreign');
});
