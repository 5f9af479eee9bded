import { createHmac, timingSafeEqual } from 'node:crypto';
import { makeHeader } from '../protocol/obfuscated2.ts';
import { frameRecords, framedBytes, RecordReader } from '../protocol/tls-record.ts';
import { buildClientHello, helloRandom, signClientHello } from './client-hello.ts';
import type { ProbeEdges } from './dc.ts';
import { ANSWER_BYTES, answersPq, askForPq } from './res-pq.ts';
import { type ProbeTarget, ProbeFailure, ProbeSocket, reasonOf } from './wire.ts';

export interface Credentials {
  mode: 'ee' | 'dd' | 'plain';
  /** 16 bytes. */
  key: Uint8Array;
  /** SNI of an ee hello. */
  domain: string;
  dc?: number;
}

/** Where a handshake through a proxy ended; `works` is a resPQ from Telegram through it. */
export interface HandshakeVerdict {
  layer: 'tcp' | 'tls' | 'obfuscated2' | 'dc' | 'works';
  ok: boolean;
  ms: number;
  detail: string;
}

const FLIGHT_START = Buffer.from([0x16, 0x03, 0x03]);
const FLIGHT_MIDDLE = Buffer.from([0x14, 0x03, 0x03, 0x00, 0x01, 0x01, 0x17, 0x03, 0x03]);
const CHANGE_CIPHER_SPEC = FLIGHT_MIDDLE.subarray(0, 6);
const DEFAULT_DC = 2;

/**
 * Do what a client does, up to the first answer of Telegram, and say which layer it reached. `preface` goes before it, as the
 * header of a balancer does.
 */
export async function probeHandshake(
  proxy: ProbeTarget,
  credentials: Credentials,
  edges: ProbeEdges & {
    preface?: Buffer | undefined;
    /** Awaited before anything is said, with our end of the connection. */
    connected?: (local: { host: string; port: number }) => Promise<void>;
  },
): Promise<HandshakeVerdict> {
  const from = edges.now();
  let layer: HandshakeVerdict['layer'] = 'tcp';
  const end = (ok: boolean, detail: string): HandshakeVerdict => ({ layer, ok, ms: edges.now() - from, detail });
  let socket: ProbeSocket | undefined;
  try {
    socket = await ProbeSocket.open(proxy, edges.timeoutMs);
    await edges.connected?.(socket.local);
    if (edges.preface !== undefined) socket.write(edges.preface);
    let stream = bare(socket);
    if (credentials.mode === 'ee') {
      layer = 'tls';
      await fakeTls(socket, credentials, edges);
      stream = inRecords(socket);
    }
    layer = 'obfuscated2';
    const { mode, key, dc = DEFAULT_DC } = credentials;
    const transport = mode === 'plain' ? 'intermediate' : 'padded';
    const header = makeHeader({ transport, dc, random: edges.random, secret: key });
    const { frame, nonce } = askForPq(edges.random, edges.now);
    stream.write(Buffer.concat([header.wire, header.up.apply(frame)]));
    const answer = header.down.apply(await stream.read(ANSWER_BYTES));
    layer = 'dc';
    if (!answersPq(answer, nonce)) return end(false, 'the answer is not that of a Telegram server');
    layer = 'works';
    return end(true, 'Telegram answered through the proxy');
  } catch (error) {
    // Past the proof of the secret, silence means that the proxy waits for Telegram.
    if (layer === 'obfuscated2' && credentials.mode === 'ee') layer = 'dc';
    return end(false, reasonOf(error));
  } finally {
    socket?.close();
  }
}

/** Send a signed hello and check that the answer was made with the same secret (protocol.md §3.5). */
async function fakeTls(socket: ProbeSocket, { key, domain }: Credentials, edges: ProbeEdges): Promise<void> {
  const unsigned = buildClientHello({ domain, random: edges.random });
  const hello = signClientHello(unsigned, key, Math.floor(edges.now() / 1000));
  socket.write(hello);
  const start = await socket.read(5);
  if (!start.subarray(0, 3).equals(FLIGHT_START)) throw new ProbeFailure('the answer is not a TLS ServerHello');
  const serverHello = await socket.read(start.readUInt16BE(3));
  const middle = await socket.read(11);
  if (serverHello.length < 38 || !middle.subarray(0, 9).equals(FLIGHT_MIDDLE)) {
    throw new ProbeFailure('the answer is that of a website');
  }
  const flight = Buffer.concat([start, serverHello, middle, await socket.read(middle.readUInt16BE(9))]);
  const proof = Buffer.from(flight.subarray(11, 43));
  flight.fill(0, 11, 43);
  const expected = createHmac('sha256', key).update(helloRandom(hello)).update(flight).digest();
  if (!timingSafeEqual(expected, proof)) throw new ProbeFailure('the answer is that of a website');
  socket.write(CHANGE_CIPHER_SPEC);
}

interface Stream {
  write(bytes: Buffer): void;
  read(count: number): Promise<Buffer>;
}

function bare(socket: ProbeSocket): Stream {
  return { write: (bytes) => socket.write(bytes), read: async (count) => socket.read(count) };
}

function inRecords(socket: ProbeSocket): Stream {
  const records = new RecordReader();
  return {
    write(bytes) {
      const framed = Buffer.alloc(framedBytes(bytes.length));
      socket.write(framed.subarray(0, frameRecords(bytes, framed)));
    },
    async read(count) {
      let have = Buffer.alloc(0);
      while (have.length < count) {
        const byte = Buffer.from(await socket.read(1));
        const kept = records.unwrap(byte, 1);
        if (kept < 0) throw new ProbeFailure('the proxy broke off the TLS stream');
        have = Buffer.concat([have, byte.subarray(0, kept)]);
      }
      return have;
    },
  };
}
