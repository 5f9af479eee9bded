import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { probeCover } from '../../../src/lib/probe/cover.ts';
import { probeHandshake } from '../../../src/lib/probe/handshake.ts';
import { SECRET, SERVER_HELLOS } from '../corpus.ts';
import { inserting, mutator } from '../mutate.ts';
import type { Target } from '../target.ts';

/** Everything that answers to `call` is on a socket in a directory of its own. */
function temporary(): { socket: string; remove: () => void } {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'mtp-fuzz-'));
  return { socket: path.join(directory, 's'), remove: () => rmSync(directory, { recursive: true }) };
}

/** Requests can be pipelined, and each is answered. */
const LONGEST_ANSWER = 2 ** 20;
const RELOAD = Buffer.from('POST /reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');

/** Everything that comes back for some bytes and FIN. */
async function ask(socket: string, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const client = net.connect({ path: socket, allowHalfOpen: true }, () => client.end(bytes));
    client.on('data', (chunk) => parts.push(chunk));
    client.on('end', () => client.destroy());
    client.on('error', () => undefined);
    client.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
  });
}

const controlOpen: Target['open'] = async () => {
  const { socket, remove } = temporary();
  const child = fork(new URL('../fixtures/control.ts', import.meta.url), [socket]);
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the control socket ended with ${code ?? 'a signal'}`)));
  });
  return {
    check: async (input) => {
      const answer = await ask(socket, input);
      assert.match(answer, /^(HTTP\/1\.1 (100|200|204|400|404|408|413|414|415|417|431|500|501|505) |$)/);
      assert.ok(answer.length < LONGEST_ANSWER, 'a long answer');
      assert.match(await ask(socket, RELOAD), /^HTTP\/1\.1 200 OK/);
    },
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await ended;
      remove();
    },
  };
};

const edges = { timeoutMs: 5000, now: () => performance.now(), random: (bytes: number) => randomBytes(bytes) };

/** A server that answers whatever it is sent with the input and FIN. */
function answering(probe: (target: { path: string }, input: Buffer) => Promise<void>): Target['open'] {
  return async () => {
    const { socket, remove } = temporary();
    let answer: Buffer = Buffer.alloc(0);
    const server = net.createServer((client) => {
      client.on('error', () => undefined);
      client.once('data', () => client.end(answer));
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    return {
      check: async (input) => {
        answer = input;
        await probe({ path: socket }, input);
      },
      close: async () => {
        await new Promise((resolve) => server.close(resolve));
        remove();
      },
    };
  };
}

const coverOpen = answering(async (target, input) => {
  const verdict = await probeCover(target, 'example.org', edges);
  if (!verdict.ok) {
    assert.match(verdict.reason, /^\S[^\n]*$/);
    return;
  }
  assert.equal(input[0] === 0x16 || input[0] === 0x14, true, 'no ServerHello');
  assert.ok(verdict.shape.flightBytes <= input.length, 'more than came');
});

/** Nobody without the secret can answer a fresh hello. */
const handshakeOpen = answering(async (target) => {
  const verdict = await probeHandshake(target, { mode: 'ee', key: SECRET, domain: 'example.org' }, edges);
  assert.deepEqual([verdict.ok, verdict.layer], [false, 'tls']);
});

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const record = (type: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, 3, 3]), u16(body.length), body]);
const flights = fc
  .tuple(fc.constantFrom(...SERVER_HELLOS), fc.array(fc.nat(400), { maxLength: 5 }), fc.boolean())
  .map(([hello, sizes, ccs]) =>
    Buffer.concat([
      record(0x16, hello),
      ...(ccs ? [record(0x14, Buffer.from([1]))] : []),
      ...sizes.map((size) => record(0x17, Buffer.alloc(size, 9))),
    ]),
  );
const request = fc
  .tuple(
    fc.constantFrom('GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'CONNECT', 'PRI'),
    fc.constantFrom('/status', '/reload', '/', '//', '/status?x=%', '*', '/../status', `/${'a'.repeat(300)}`),
    fc.array(
      fc.constantFrom(
        'Host: x',
        'Content-Length: 2',
        'Transfer-Encoding: chunked',
        'Content-Type: application/json',
        'Connection: upgrade',
        'Upgrade: websocket',
        'Expect: 100-continue',
        'Connection: close',
        'X: ',
      ),
      { maxLength: 4 },
    ),
    fc.constantFrom('', '{}', '{"__proto__":1}', '2\r\n{}\r\n0\r\n\r\n'),
  )
  .map(([method, url, headers, body]) =>
    Buffer.from(`${[`${method} ${url} HTTP/1.1`, ...headers].join('\r\n')}\r\n\r\n${body}`),
  );

export const SOCKET_TARGETS: Target[] = [
  {
    name: 'control',
    weight: 0.3,
    corpus: [RELOAD],
    arbitrary: request,
    mutate: mutator(inserting(['\r\n', '\0', ' '])),
    open: controlOpen,
  },
  { name: 'cover-probe', weight: 0.3, corpus: [], arbitrary: flights, mutate: mutator(), open: coverOpen },
  { name: 'handshake-probe', weight: 0.2, corpus: [], arbitrary: flights, mutate: mutator(), open: handshakeOpen },
];
