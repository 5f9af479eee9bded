import assert from 'node:assert/strict';
import net from 'node:net';
import fc from 'fast-check';
import { readProxyHeader, writeProxyHeader } from '../../../src/lib/protocol/proxy-protocol.ts';
import { SocksDialogue, type SocksStep } from '../../../src/lib/protocol/socks5.ts';
import { inserting, mutator } from '../mutate.ts';
import { piecesOf, type Random } from '../random.ts';
import { alone, type Target } from '../target.ts';

/** PROXY v1 ends within 107 bytes; of v2 we hold 2048 bytes behind its 16. */
const LONGEST = 16 + 2048;

function header(input: Buffer, random: Random): void {
  const whole = readProxyHeader(input);
  for (let turn = 0; turn < 4; turn++) {
    const part = readProxyHeader(input.subarray(0, random.below(input.length + 1)));
    if (part.state !== 'incomplete') assert.deepEqual(part, whole);
  }
  if (whole.state === 'incomplete') assert.ok(input.length < LONGEST, 'it waits for ever');
  if (whole.state !== 'complete') return;
  const { peer, consumed } = whole;
  assert.ok(consumed <= input.length && consumed <= LONGEST, 'it consumes what has not come');
  assert.equal(readProxyHeader(input.subarray(0, consumed - 1)).state, 'incomplete');
  if (peer === null) return;
  assert.ok(net.isIP(peer.host) !== 0 && peer.port >= 0 && peer.port <= 65_535, `${peer.host} ${peer.port}`);
  for (const version of ['v1', 'v2'] as const) {
    const again = readProxyHeader(writeProxyHeader(version, peer, peer));
    const found = again.state === 'complete' ? again.peer : null;
    assert.ok(found !== null && found.port === peer.port && sameHost(found.host, peer.host), 'it does not read back');
  }
}

function sameHost(a: string, b: string): boolean {
  const list = new net.BlockList();
  list.addAddress(a, net.isIPv6(a) ? 'ipv6' : 'ipv4');
  return a === b || list.check(b, net.isIPv6(b) ? 'ipv6' : 'ipv4');
}

const peer = (host: fc.Arbitrary<string>): fc.Arbitrary<{ host: string; port: number }> =>
  fc.record({ host, port: fc.nat(65_535) });
const headers = fc
  .tuple(
    fc.constantFrom('v1' as const, 'v2' as const),
    fc.oneof(fc.tuple(peer(fc.ipV4()), peer(fc.ipV4())), fc.tuple(peer(fc.ipV6()), peer(fc.ipV6()))),
  )
  .map(([version, [source, destination]]) => writeProxyHeader(version, source, destination));
const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000c7f0000017f000001115c01bb1603010200', 'hex');
const WORDS = [
  'PROXY ',
  'TCP4',
  'TCP6',
  'UNKNOWN',
  ' ',
  '\r\n',
  '\r',
  '::',
  ':',
  '.',
  '0',
  '65536',
  '255',
  '::ffff:1.2.3.4',
];

interface Played {
  sent: Buffer[];
  last: SocksStep['state'];
  /** Bytes that the dialogue is done with. */
  used: number;
}

/** Play one dialogue, with answers that come in pieces. */
function play(login: boolean, pieces: readonly Buffer[]): Played {
  const dialogue = new SocksDialogue(
    Buffer.from([1, 192, 0, 2, 7]),
    443,
    login ? { username: 'u', password: 'p' } : null,
  );
  const played: Played = { sent: [dialogue.greeting], last: 'incomplete', used: 0 };
  let waiting: Buffer = Buffer.alloc(0);
  for (const piece of pieces) {
    waiting = Buffer.concat([waiting, piece]);
    for (;;) {
      const step = dialogue.read(waiting);
      played.last = step.state;
      if ('consumed' in step) {
        assert.ok(step.consumed > 0 && step.consumed <= waiting.length, 'it consumes what has not come');
        waiting = waiting.subarray(step.consumed);
        played.used += step.consumed;
      }
      if (step.state === 'send') played.sent.push(step.bytes);
      if (step.state === 'connected' || step.state === 'failed') return played;
      if (step.state === 'incomplete') break;
    }
  }
  return played;
}

/** Bytes of a whole dialogue: choice of a method, answer to a login, and a reply with an address (RFC 1928 §6). */
function dialogueBytes(input: Buffer): number {
  const reply = input[1] === 2 ? 4 : 2;
  const bound = input[reply + 3] === 3 ? 1 + (input[reply + 4] ?? 0) : input[reply + 3] === 4 ? 16 : 4;
  return reply + 4 + bound + 2;
}

function dialogue(input: Buffer, random: Random): void {
  const login = random.oneIn(2);
  const whole = play(login, [input]);
  assert.deepEqual(play(login, piecesOf(input, random.cuts(input.length, 8))), whole);
  if (whole.last === 'connected') assert.equal(whole.used, dialogueBytes(input));
  assert.ok(whole.sent.length <= 3 && whole.used <= 2 + 2 + 4 + 256 + 2, 'it goes on for ever');
}

const replies = [
  '0500050000010a0000011f90',
  '0502010005000003026162aabb',
  '0500050000040102030405060708090a0b0c0d0e0f10aabb',
];
const answers = fc
  .tuple(fc.constantFrom('0500', '05020100', '0502', '05ff'), fc.nat(9), fc.nat(5), fc.uint8Array({ maxLength: 40 }))
  .map(([method, code, type, rest]) =>
    Buffer.concat([Buffer.from(method, 'hex'), Buffer.from([5, code, 0, type]), rest]),
  );

export const PROXY_TARGETS: Target[] = [
  {
    name: 'proxy-header',
    weight: 10,
    corpus: [V2, ...['PROXY UNKNOWN\r\n', 'PROXY TCP6 ::1 ::1 1 2\r\nGET'].map((text) => Buffer.from(text))],
    arbitrary: headers,
    mutate: mutator(inserting(WORDS)),
    open: alone(header),
  },
  {
    name: 'socks5',
    weight: 8,
    corpus: replies.map((reply) => Buffer.from(reply, 'hex')),
    arbitrary: answers,
    mutate: mutator(),
    open: alone(dialogue),
  },
];
