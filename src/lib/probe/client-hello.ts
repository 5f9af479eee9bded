import { createHmac, createPrivateKey, createPublicKey } from 'node:crypto';

/** A ClientHello as the clients of 2026 send it (protocol.md §3.3), for probing covers and our own listener. */

export type Random = (bytes: number) => Buffer;

export const GROUP = { x25519: 0x001d, x25519MlKem768: 0x11ec } as const;

export interface KeyShare {
  group: number;
  key: Uint8Array;
}

export interface HelloOptions {
  /** ASCII host name of the server_name extension. */
  domain: string;
  random: Random;
  /** Replaces the shares of a first hello, where a HelloRetryRequest asked for another group (RFC 8446 §4.1.2). */
  keyShares?: KeyShare[];
  /** Sent back as the HelloRetryRequest gave it. */
  cookie?: Uint8Array;
  /** Random and session id of the first hello, 32 bytes each, for the second one. */
  repeat?: { random: Buffer; sessionId: Buffer };
}

const RANDOM_AT = 11;
const RANDOM_BYTES = 32;
const CIPHERS = [
  0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f,
  0x0035,
];
const SIGNATURES = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
const GROUPS = [GROUP.x25519MlKem768, GROUP.x25519, 0x0017, 0x0018];

/** The complete TLS record, about 1.8 KB. */
export function buildClientHello(options: HelloOptions): Buffer {
  const { domain, random, cookie, repeat } = options;
  const grease = greaseFrom(random);
  const shares = options.keyShares ?? [
    { group: grease(1), key: Buffer.alloc(1) },
    { group: GROUP.x25519MlKem768, key: Buffer.concat([mlKemShare(random), x25519Share(random)]) },
    { group: GROUP.x25519, key: x25519Share(random) },
  ];
  const extensions = Buffer.concat([
    extension(grease(2), Buffer.alloc(0)),
    extension(0x0000, sized(2, Buffer.concat([Buffer.alloc(1), sized(2, Buffer.from(domain, 'latin1'))]))),
    extension(0x0017, Buffer.alloc(0)),
    extension(0xff01, Buffer.alloc(1)),
    extension(0x000a, sized(2, words([grease(1), ...GROUPS]))),
    extension(0x000b, Buffer.from([1, 0])),
    extension(0x0023, Buffer.alloc(0)),
    extension(0x0010, sized(2, Buffer.concat(['h2', 'http/1.1'].map((name) => sized(1, Buffer.from(name)))))),
    extension(0x0005, Buffer.from([1, 0, 0, 0, 0])),
    extension(0x000d, sized(2, words(SIGNATURES))),
    extension(0x0012, Buffer.alloc(0)),
    extension(0x0033, sized(2, Buffer.concat(shares.map(({ group, key }) => extension(group, key))))),
    extension(0x002d, Buffer.from([1, 1])),
    extension(0x002b, sized(1, words([grease(3), 0x0304, 0x0303]))),
    extension(0x001b, sized(1, words([0x0002]))),
    extension(0x44cd, sized(2, sized(1, Buffer.from('h2')))),
    extension(0xfe0d, echGrease(random)),
    ...(cookie === undefined ? [] : [extension(0x002c, sized(2, cookie))]),
    extension(grease(4), Buffer.alloc(1)),
  ]);
  const body = Buffer.concat([
    words([0x0303]),
    repeat?.random ?? random(RANDOM_BYTES),
    sized(1, repeat?.sessionId ?? random(32)),
    sized(2, words([grease(0), ...CIPHERS])),
    Buffer.from([1, 0]),
    sized(2, extensions),
  ]);
  const handshake = Buffer.concat([Buffer.from([1, body.length >> 16]), words([body.length & 0xffff]), body]);
  return Buffer.concat([Buffer.from([0x16, 0x03, 0x01]), sized(2, handshake)]);
}

/** The hello with its random replaced by the proof of a fake-TLS client: HMAC and Unix time in seconds (protocol.md §3.1). */
export function signClientHello(record: Uint8Array, key: Uint8Array, unixSeconds: number): Buffer {
  const signed = Buffer.from(record);
  signed.fill(0, RANDOM_AT, RANDOM_AT + RANDOM_BYTES);
  const digest = createHmac('sha256', key).update(signed).digest();
  digest.writeUInt32LE((digest.readUInt32LE(28) ^ unixSeconds) >>> 0, 28);
  digest.copy(signed, RANDOM_AT);
  return signed;
}

/** The 32 bytes that the server's answer is bound to. */
export function helloRandom(record: Buffer): Buffer {
  return record.subarray(RANDOM_AT, RANDOM_AT + RANDOM_BYTES);
}

/** Session id of a hello made here: always 32 bytes. */
export function helloSessionId(record: Buffer): Buffer {
  return record.subarray(44, 76);
}

/** A point of the curve: the public half of a fresh key. */
export function x25519Share(random: Random): Buffer {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), random(32)]);
  const key = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
  return key.export({ format: 'der', type: 'spki' }).subarray(-32);
}

/** An ML-KEM-768 encapsulation key that passes the modulus check (FIPS 203 §7.2): 768 coefficients below 3329, then a seed. */
export function mlKemShare(random: Random): Buffer {
  const share = Buffer.alloc(1184);
  const draws = random(768 * 2);
  for (let pair = 0; pair < 384; pair++) {
    const low = draws.readUInt16LE(pair * 4) % 3329;
    const high = draws.readUInt16LE(pair * 4 + 2) % 3329;
    share.writeUIntLE(low | (high << 12), pair * 3, 3);
  }
  random(32).copy(share, 1152);
  return share;
}

function echGrease(random: Random): Buffer {
  const payload = random(144 + 32 * ((random(1)[0] as number) % 4));
  const head = Buffer.concat([Buffer.from([0, 0x00, 0x01, 0x00, 0x01]), random(1)]);
  return Buffer.concat([head, sized(2, x25519Share(random)), sized(2, payload)]);
}

/** Five reserved values that differ from each other where the specification wants it (RFC 8701). */
function greaseFrom(random: Random): (index: number) => number {
  const draws = random(5);
  if ((draws[2] as number) >> 4 === (draws[4] as number) >> 4) draws[4] = (draws[4] as number) ^ 0x10;
  return (index) => (((draws[index] as number) & 0xf0) | 0x0a) * 0x0101;
}

function extension(type: number, data: Uint8Array): Buffer {
  return Buffer.concat([words([type]), sized(2, data)]);
}

function words(values: number[]): Buffer {
  const out = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => out.writeUInt16BE(value, index * 2));
  return out;
}

/** The data behind its length in `bytes` bytes, big-endian. */
function sized(bytes: 1 | 2, data: Uint8Array): Buffer {
  const length = Buffer.alloc(bytes);
  length.writeUIntBE(data.length, 0, bytes);
  return Buffer.concat([length, data]);
}
