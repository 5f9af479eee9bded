import { createECDH } from 'node:crypto';
import { X25519_MLKEM768 } from '../protocol/server-flight.ts';
import { buildClientHello, helloRandom, helloSessionId } from './client-hello.ts';
import type { ProbeEdges } from './dc.ts';
import { readServerHello, type ServerHello } from './server-hello.ts';
import { type ProbeTarget, ProbeSocket, reasonOf } from './wire.ts';

export interface CoverShape {
  /** Bytes of encrypted handshake records after ServerHello and CCS, record headers included (protocol.md §3.7). */
  flightBytes: number;
  /** It answers X25519MLKEM768 when that is offered. */
  postQuantum: boolean;
}

export type CoverVerdict =
  { ok: true; ms: number; shape: CoverShape } | { ok: false; kind: 'unreachable' | 'not-tls13'; reason: string };

const TLS13 = 0x0304;
const RECORD = { changeCipherSpec: 0x14, alert: 0x15, handshake: 0x16, applicationData: 0x17 };
/** A flight is over when nothing came for so long. */
const SILENCE_MS = 300;
/** Curves that a HelloRetryRequest may ask for, by group. */
const CURVES: Record<number, string> = { 0x0017: 'prime256v1', 0x0018: 'secp384r1' };

class NotTls13 extends Error {}

/** Greet the cover as a modern client would, and measure what an observer would see of its answer. */
export async function probeCover(target: ProbeTarget, domain: string, edges: ProbeEdges): Promise<CoverVerdict> {
  const from = edges.now();
  let socket: ProbeSocket | undefined;
  try {
    socket = await ProbeSocket.open(target, edges.timeoutMs);
    const hello = buildClientHello({ domain, random: edges.random });
    socket.write(hello);
    let answer = await serverHello(socket);
    if (answer.retry) {
      socket.write(
        Buffer.concat([
          Buffer.from([RECORD.changeCipherSpec, 3, 3, 0, 1, 1]),
          secondHello(hello, answer, domain, edges),
        ]),
      );
      answer = await serverHello(socket);
    }
    const ms = edges.now() - from;
    const flightBytes = await encryptedFlight(socket);
    return { ok: true, ms, shape: { flightBytes, postQuantum: answer.group === X25519_MLKEM768 } };
  } catch (error) {
    return { ok: false, kind: error instanceof NotTls13 ? 'not-tls13' : 'unreachable', reason: reasonOf(error) };
  } finally {
    socket?.close();
  }
}

async function serverHello(socket: ProbeSocket): Promise<ServerHello> {
  let { type, body } = await record(socket);
  // A retry is followed by a CCS for middleboxes; the ServerHello comes behind it.
  if (type === RECORD.changeCipherSpec) ({ type, body } = await record(socket));
  if (type === RECORD.alert) throw new NotTls13(`it refuses the hello with TLS alert ${body[1] ?? 0}`);
  const hello = type === RECORD.handshake ? readServerHello(body) : null;
  if (hello === null) throw new NotTls13('it does not speak TLS');
  if (hello.version !== TLS13) throw new NotTls13('it does not negotiate TLS 1.3');
  return hello;
}

async function encryptedFlight(socket: ProbeSocket): Promise<number> {
  let bytes = 0;
  for (;;) {
    const header = bytes === 0 ? await socket.read(5) : await socket.read(5, SILENCE_MS).catch(() => null);
    if (header === null) return bytes;
    const length = header.readUInt16BE(3);
    await socket.read(length);
    if (header[0] === RECORD.applicationData) bytes += 5 + length;
    else if (header[0] !== RECORD.changeCipherSpec) throw new NotTls13('it ends the handshake early');
  }
}

async function record(socket: ProbeSocket): Promise<{ type: number; body: Buffer }> {
  const header = await socket.read(5);
  if (
    header[1] !== 3 ||
    (header[0] as number) < RECORD.changeCipherSpec ||
    (header[0] as number) > RECORD.applicationData
  ) {
    throw new NotTls13('it does not speak TLS');
  }
  return { type: header[0] as number, body: await socket.read(header.readUInt16BE(3)) };
}

function secondHello(first: Buffer, retry: ServerHello, domain: string, edges: ProbeEdges): Buffer {
  const curve = CURVES[retry.group ?? 0];
  if (curve === undefined) throw new NotTls13('it asks for a key exchange that no client has');
  const ecdh = createECDH(curve);
  return buildClientHello({
    domain,
    random: edges.random,
    keyShares: [{ group: retry.group as number, key: ecdh.generateKeys() }],
    repeat: { random: Buffer.from(helloRandom(first)), sessionId: Buffer.from(helloSessionId(first)) },
    ...(retry.cookie === null ? {} : { cookie: retry.cookie }),
  });
}
