import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readServerHello } from '../../../src/lib/probe/server-hello.ts';
import { SERVER_HELLOS } from '../corpus.ts';
import { mutator } from '../mutate.ts';
import { alone, type Target } from '../target.ts';

const RETRY = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c';

/** The extensions of a ServerHello whose lengths add up, else null. */
function extensionsOf(message: Buffer): Map<number, Buffer> | null {
  const found = new Map<number, Buffer>();
  const start = 39 + (message[38] ?? 0) + 3;
  if (start === message.length) return found;
  if (start + 2 > message.length || start + 2 + message.readUInt16BE(start) > message.length) return null;
  let left = message.subarray(start + 2, start + 2 + message.readUInt16BE(start));
  while (left.length > 0) {
    if (left.length < 4 || left.length < 4 + left.readUInt16BE(2)) return null;
    const end = 4 + left.readUInt16BE(2);
    const type = left.readUInt16BE(0);
    const body = left.subarray(4, end);
    const counts = type === 43 ? body.length === 2 : type === 51 ? body.length >= 2 : body.length > 2;
    if (counts) found.set(type, body);
    left = left.subarray(end);
  }
  return found;
}

function reading(input: Buffer): void {
  const hello = readServerHello(input);
  const extensions = input.length < 39 || input[0] !== 2 ? null : extensionsOf(input);
  if (extensions === null || hello === null) {
    assert.equal(hello, extensions);
    return;
  }
  const { version, group, retry, cookie } = hello;
  assert.equal(version, extensions.get(43)?.readUInt16BE(0) ?? input.readUInt16BE(4));
  assert.equal(group, extensions.get(51)?.readUInt16BE(0) ?? null);
  assert.equal(retry, input.toString('hex', 6, 38) === RETRY);
  assert.deepEqual(cookie, extensions.get(44)?.subarray(2) ?? null);
}

const extension = fc
  .tuple(fc.constantFrom(43, 44, 51, 16), fc.uint8Array({ maxLength: 40 }))
  .map(([type, body]) => Buffer.concat([Buffer.from([0, type, 0, body.length]), body]));
const hellos = fc
  .tuple(fc.boolean(), fc.uint8Array({ maxLength: 32 }), fc.array(extension, { maxLength: 5 }))
  .map(([retry, session, list]) => {
    const extensions = Buffer.concat(list);
    const random = retry ? Buffer.from(RETRY, 'hex') : Buffer.alloc(32, 7);
    const tail = Buffer.from([0x13, 1, 0, extensions.length >> 8, extensions.length & 0xff]);
    return Buffer.concat([
      Buffer.from([2, 0, 0, 0, 3, 3]),
      random,
      Buffer.from([session.length]),
      session,
      tail,
      extensions,
    ]);
  });

export const SERVER_HELLO_TARGETS: Target[] = [
  {
    name: 'server-hello',
    weight: 8,
    corpus: SERVER_HELLOS,
    arbitrary: hellos,
    mutate: mutator(),
    open: alone(reading),
  },
];
