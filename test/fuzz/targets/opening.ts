import assert from 'node:assert/strict';
import fc from 'fast-check';
import { OPENING_BYTES } from '../../../src/daemon/engine/conn.ts';
import { type Opened, Opener } from '../../../src/daemon/engine/opener.ts';
import type { Plane } from '../../../src/daemon/engine/plane.ts';
import { packUsers } from '../../../src/daemon/engine/packed-users.ts';
import { Searches } from '../../../src/daemon/engine/searches.ts';
import { UserSet } from '../../../src/daemon/engine/user-set.ts';
import type { Mode } from '../../../src/daemon/supervisor/engine.ts';
import { openHeader } from '../../../src/lib/protocol/obfuscated2.ts';
import { readOpening } from '../../support/wire.ts';
import { BARE, HELLOS, SECRET, SIGNED } from '../corpus.ts';
import { anyHello, mutateHello } from '../hellos.ts';
import { inserting, mutator } from '../mutate.ts';
import { piecesOf, type Random } from '../random.ts';
import { alone, type Target } from '../target.ts';
import { engineUser } from '../../support/engine-user.ts';

const NOBODY = Buffer.alloc(16, 0x21);
const TRANSPORTS = { ef: 'abridged', ee: 'intermediate', dd: 'padded' };

function planeOf(modes: Mode[]): Plane {
  const nobody = engineUser('nobody', NOBODY.toString('hex'), 'www.example.com');
  const somebody = engineUser('somebody', SECRET.toString('hex'), 'example.com');
  const users = new UserSet(packUsers([nobody, somebody], (id) => id.length));
  // An opening looks at the modes, the users and who else searches, and at nothing else of the plane.
  return { settings: { modes }, users, searches: new Searches() } as unknown as Plane;
}

const PLANES = [planeOf(['ee']), planeOf(['ee', 'dd', 'plain']), planeOf(['dd'])];

/** What an opener says of bytes in pieces, and how many had come when it said so. */
function decide(plane: Plane, pieces: readonly Buffer[]): { opened: Opened | null; came: number } {
  const said: Opened[] = [];
  const opener = new Opener(
    plane,
    () => null,
    (opened) => said.push(opened),
  );
  let came = 0;
  for (const piece of pieces) {
    came += piece.length;
    opener.push(piece);
    assert.equal(opener.held.length, came, 'it loses bytes');
    if (said.length > 0) break;
  }
  assert.ok(said.length <= 1, 'it decides twice');
  return { opened: said[0] ?? null, came };
}

/** The same decision in one piece and in many; only what foreign bytes are called depends on how many of them are there. */
function deciding(input: Buffer, random: Random): void {
  const data = input.subarray(0, OPENING_BYTES - 1);
  const plane = random.pick(PLANES);
  const whole = decide(plane, [data]).opened;
  const { opened, came } = decide(plane, piecesOf(data, random.cuts(data.length, 6)));
  assert.equal(opened?.kind, whole?.kind);
  if (whole === null || opened === null || opened.kind === 'refused' || whole.kind === 'refused') return;
  assert.ok(opened.user.key.equals(SECRET));
  assert.ok(opened.consumed === whole.consumed && opened.consumed <= came, 'it consumes what has not come');
  if (opened.kind === 'hello') {
    const { record } = opened.hello;
    assert.ok(
      SIGNED.some((signed) => signed.length === record.length && signed.subarray(43).equals(record.subarray(43))),
    );
  }
}

/** The header's meaning, found with a second implementation. */
function opening(input: Buffer): void {
  if (input.length < 64) return;
  const header = input.subarray(0, 64);
  const before = Buffer.from(header);
  const opened = openHeader(header, null);
  const expected = readOpening(before);
  // The reference looks at the first byte of the tag only.
  if (opened !== null) {
    assert.deepEqual([opened.transport, opened.dc], [TRANSPORTS[expected?.tag ?? 'ef'], expected?.dc]);
    const probe = Buffer.from(before);
    assert.ok(
      opened.up.apply(Buffer.from(probe)).equals(expected?.stream.decrypt(probe) ?? probe),
      'another stream up',
    );
    assert.ok(
      opened.down.apply(Buffer.from(probe)).equals(expected?.stream.encrypt(probe) ?? probe),
      'another stream down',
    );
  }
  assert.ok(header.equals(before), 'the header was changed');
  const keyed = openHeader(header, SECRET);
  const original = BARE.some((bare) => bare.subarray(8, 60).equals(header.subarray(8, 60)));
  assert.equal(keyed !== null, original, original ? 'a client is refused' : 'a forgery is let in');
}

const WORDS = ['GET / HTTP/1.1\r\n', 'POST ', 'HEAD ', 'OPTIONS ', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'SSH-2.0-x\r\n'];
const anyBytes = fc.uint8Array({ minLength: 60, maxLength: 200 }).map((bytes) => Buffer.from(bytes));
const mutateBare = mutator(inserting(WORDS));

export const OPENING_TARGETS: Target[] = [
  {
    name: 'opening',
    weight: 10,
    corpus: [...HELLOS, ...BARE, ...WORDS.map((word) => Buffer.from(word))],
    arbitrary: fc.oneof(anyHello, anyBytes),
    mutate: mutateHello,
    open: alone(deciding),
  },
  { name: 'obfuscated2', weight: 8, corpus: BARE, arbitrary: anyBytes, mutate: mutateBare, open: alone(opening) },
];
