import assert from 'node:assert/strict';
import { authenticate, collectHello, type Collected, readHello } from '../../../src/lib/protocol/client-hello.ts';
import { HMAC_ROOM } from '../../../src/lib/protocol/hmac.ts';
import { HELLOS, SECRET, SIGNED } from '../corpus.ts';
import { anyHello, mutateHello } from '../hellos.ts';
import type { Random } from '../random.ts';
import { alone, type Target } from '../target.ts';
import { readHelloPlainly, stateOf } from './hello-reference.ts';

/** A hello split over 16 records of which the last goes on is the longest that is collected. */
const MOST = 2 * 16_384 + 5;

/** The same answer whatever has come so far: undecided, then decided for good. */
function collecting(input: Buffer, random: Random): void {
  const whole = collectHello(input);
  for (let turn = 0; turn < 4; turn++) {
    const part = collectHello(input.subarray(0, random.below(input.length + 1)));
    if (part.state !== 'incomplete') assertSame(part, whole);
  }
  assert.equal(whole.state, stateOf(input));
  if (whole.state !== 'complete') return;
  const { record, consumed } = whole;
  assert.ok(consumed <= input.length && record.length <= Math.min(MOST, consumed), 'it is longer than what came');
  assertSame(collectHello(input.subarray(0, consumed)), whole);
  assert.equal(collectHello(input.subarray(0, consumed - 1)).state, 'incomplete');
  assert.equal(record.readUInt16BE(3), record.length - 5);
  assert.ok(record.subarray(5).equals(payloads(input.subarray(0, consumed))), 'not what the records hold');
}

function assertSame(part: Collected, whole: Collected): void {
  assert.equal(part.state, whole.state);
  if (part.state !== 'complete' || whole.state !== 'complete') return;
  assert.equal(part.consumed, whole.consumed);
  assert.ok(part.record.equals(whole.record), 'another record');
}

function payloads(wire: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < wire.length; at += 5 + wire.readUInt16BE(at + 3)) {
    parts.push(wire.subarray(at + 5, at + 5 + wire.readUInt16BE(at + 3)));
  }
  return Buffer.concat(parts);
}

function reading(input: Buffer): void {
  const collected = collectHello(input);
  const record = collected.state === 'complete' ? collected.record : input;
  if (record.length < 44) return;
  const hello = readHello(record);
  const expected = readHelloPlainly(record);
  if (hello === null || expected === null) {
    assert.equal(hello, expected);
    return;
  }
  const { random, signed, sessionId, ciphers, sni, groups } = hello;
  const zeroed = signed.subarray(HMAC_ROOM);
  assert.deepEqual({ ciphers, sni, groups }, expected);
  assert.ok(random.equals(record.subarray(11, 43)) && sessionId.equals(record.subarray(44, 44 + (record[43] ?? 0))));
  const rebuilt = Buffer.from(zeroed);
  random.copy(rebuilt, 11);
  assert.ok(rebuilt.equals(record) && zeroed.subarray(11, 43).every((byte) => byte === 0), 'not the zeroed record');
}

/** The four bytes that carry the time are the only ones that may differ (docs/decisions/010). */
function sameButTime(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && a.subarray(0, 39).equals(b.subarray(0, 39)) && a.subarray(43).equals(b.subarray(43));
}

const OTHER = Buffer.alloc(16, 0x5a);

function authenticating(input: Buffer): void {
  const collected = collectHello(input);
  const hello = collected.state === 'complete' ? readHello(collected.record) : null;
  if (hello === null) return;
  const original = SIGNED.some((signed) => sameButTime(signed, hello.record));
  assert.equal(
    authenticate(hello, SECRET) !== null,
    original,
    original ? 'a client is refused' : 'a forgery is let in',
  );
  if (original) assert.equal(authenticate(hello, OTHER), null);
}

export const HELLO_TARGETS: Target[] = [
  {
    name: 'collect-hello',
    weight: 20,
    corpus: HELLOS,
    arbitrary: anyHello,
    mutate: mutateHello,
    open: alone(collecting),
  },
  { name: 'read-hello', weight: 12, corpus: HELLOS, arbitrary: anyHello, mutate: mutateHello, open: alone(reading) },
  {
    name: 'authenticate',
    weight: 14,
    corpus: SIGNED,
    arbitrary: anyHello,
    mutate: mutateHello,
    open: alone(authenticating),
  },
];
