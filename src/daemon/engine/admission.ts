import { randomFillSync } from 'node:crypto';
import type { Transport } from '../../lib/protocol/obfuscated2.ts';
import {
  bodyBytes,
  chooseCipher,
  FLIGHT_BUFFER,
  MLKEM_CIPHERTEXT,
  serverFlight,
  X25519_MLKEM768,
} from '../../lib/protocol/server-flight.ts';
import { RECORD_PAYLOAD } from '../../lib/protocol/tls-record.ts';
import type { EngineSettings, HandshakeResult } from '../supervisor/engine.ts';
import { makeKeyPoint } from './key-maker.ts';
import type { Opened } from './opener.ts';
import type { Plane } from './plane.ts';
import { KEEP_SECONDS } from './replay-journal.ts';

type OpenedHello = Extract<Opened, { kind: 'hello' }>;

/** A flight of this many encrypted bytes stands in until the cover has been measured. */
const DEFAULT_FLIGHT_BYTES = 3000;

/** May the holder of a good secret come in? Otherwise the reason, and the connection is the cover's (protocol.md §4). */
export function admitHello(
  plane: Plane,
  { hello, signedAt }: OpenedHello,
  now: number,
): { cipher: number } | HandshakeResult {
  if (Math.abs(now - signedAt) > plane.settings.maxSkewSeconds) return 'skew';
  const cipher = chooseCipher(hello.ciphers);
  if (cipher === null) return 'garbage';
  return enterReplay(plane, hello.random, now) ? { cipher } : 'replay';
}

/** Remember an opening by its first 12 bytes; false when it was here before. Only for openings that authenticated. */
export function enterReplay({ replay, journal }: Plane, digest: Buffer, now: number): boolean {
  const expires = now + KEEP_SECONDS;
  if (!replay.enter(digest, now, expires)) return false;
  journal.add(digest, expires);
  return true;
}

/** Shared by the handshakes of this thread: a flight is written before the next one is made. */
const flight = Buffer.allocUnsafeSlow(FLIGHT_BUFFER);
/** What looks encrypted, and before it a byte for the jitter of its length. */
const random = Buffer.allocUnsafeSlow(1 + RECORD_PAYLOAD + MLKEM_CIPHERTEXT);

/** The server's flight, in the shape in which the cover answers such a hello; valid until the next call. */
export function answerHello({ settings, points }: Plane, { hello, user }: OpenedHello, cipher: number): Buffer {
  const profile = settings.cover.profiles[user.domain];
  const mlkem = profile?.postQuantum === true && hello.groups.includes(X25519_MLKEM768);
  const wanted = profile?.flightBytes ?? DEFAULT_FLIGHT_BYTES;
  const mlkemAt = 1 + bodyBytes(wanted, 1);
  const mlkemEnd = mlkemAt + (mlkem ? MLKEM_CIPHERTEXT : 0);
  randomFillSync(random, 0, mlkemEnd);
  const body = bodyBytes(wanted, (random[0] as number) / 256);
  return serverFlight(
    {
      hello,
      key: user.key,
      cipher,
      x25519: points.take() ?? makeKeyPoint(),
      mlkem: mlkem ? random.subarray(mlkemAt, mlkemEnd) : null,
      body: random.subarray(1, 1 + body),
    },
    flight,
  );
}

/** Whether clients of an enabled mode use this transport: `dd` links mean padded, plain ones any (protocol.md §2.5). */
export function transportAllowed(
  { modes, transports }: EngineSettings,
  insideTls: boolean,
  transport: Transport,
): boolean {
  if (insideTls) return transports.includes(transport);
  return modes.includes('plain') || (modes.includes('dd') && transport === 'padded');
}
