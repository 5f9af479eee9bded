import fc from 'fast-check';
import { expect, test } from 'vitest';
import { socksAddress, SocksDialogue, type SocksStep } from '../../../src/lib/protocol/socks5.ts';

const address = Buffer.from([1, 192, 0, 2, 7]);

/** Play `answers` byte by byte and note what is sent. */
function play(dialogue: SocksDialogue, answers: Buffer): { sent: Buffer[]; last: SocksStep; left: number } {
  const sent: Buffer[] = [dialogue.greeting];
  let waiting = Buffer.alloc(0);
  let last: SocksStep = { state: 'incomplete' };
  for (let at = 0; at < answers.length; at++) {
    waiting = Buffer.concat([waiting, answers.subarray(at, at + 1)]);
    last = dialogue.read(waiting);
    if (last.state === 'send') {
      sent.push(last.bytes);
      waiting = waiting.subarray(last.consumed);
    }
    if (last.state === 'connected' || last.state === 'failed') return { sent, last, left: answers.length - at - 1 };
  }
  return { sent, last, left: 0 };
}

test('without a login: greeting, request, connected', () => {
  const { sent, last } = play(new SocksDialogue(address, 443, null), Buffer.from('0500050000010a0000011f90', 'hex'));
  expect(sent.map((bytes) => bytes.toString('hex'))).toEqual(['050100', '05010001c000020701bb']);
  expect(last).toEqual({ state: 'connected', consumed: 10 });
});

test('with a login, where the server asks for it', () => {
  const login = { username: 'u', password: 'pw' };
  const { sent, last } = play(new SocksDialogue(address, 80, login), Buffer.from('0502010005000003026162aabb', 'hex'));
  expect(sent.map((bytes) => bytes.toString('hex'))).toEqual(['05020002', '010175027077', '05010001c00002070050']);
  expect(last.state).toBe('connected');
});

test.each([
  ['0501', 'it offers no login that we have'],
  ['0502', 'it asks for a login'],
  ['48545450', 'it does not speak SOCKS5'],
  ['05000505', 'connection refused'],
  ['050005ff', 'reply code 255'],
  ['050005000009aa', 'its reply has an unknown address type'],
])('the answer %s is a failure with a reason', (answers, reason) => {
  const { last } = play(new SocksDialogue(address, 443, null), Buffer.from(answers, 'hex'));
  expect(last).toEqual({ state: 'failed', reason: answers === '0501' ? 'it asks for a login' : reason });
});

test('a refused login is a failure with a reason', () => {
  const { last } = play(
    new SocksDialogue(address, 443, { username: 'u', password: 'p' }),
    Buffer.from('05020101', 'hex'),
  );
  expect(last).toEqual({ state: 'failed', reason: 'it refused the user name or password' });
});

test('addresses are written by family', () => {
  expect(socksAddress('192.0.2.1', null).toString('hex')).toBe('01c0000201');
  expect(socksAddress('x', [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]).toString('hex')).toBe(
    '0420010db8000000000000000000000001',
  );
  expect(socksAddress('dc.example', null).toString('latin1')).toBe('\x03\x0adc.example');
});

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      play(new SocksDialogue(address, 443, { username: 'u', password: 'p' }), Buffer.from(bytes));
    }),
    { numRuns: 1000 },
  );
});
