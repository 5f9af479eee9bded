import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  randomBytes,
} from 'node:crypto';

/** The server's side of MTProto 2.0 as far as a first call needs it: an authorization key, then encrypted answers. */

const PRIME = BigInt(
  '0xc71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c3720fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f642477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b',
);
const PQ = Buffer.from('17ed48941a08f981', 'hex');

const sha1 = (...parts: Buffer[]): Buffer => createHash('sha1').update(Buffer.concat(parts)).digest();
const sha256 = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

function int(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeInt32LE(value | 0);
  return out;
}

/** TL `bytes`. */
function bytes(data: Buffer): Buffer {
  const head =
    data.length < 254
      ? Buffer.from([data.length])
      : Buffer.from([254, data.length, data.length >> 8, data.length >> 16]);
  const body = Buffer.concat([head, data]);
  return Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
}

class Reader {
  readonly #data: Buffer;
  #at: number;

  constructor(data: Buffer, at: number) {
    this.#data = data;
    this.#at = at;
  }

  raw(length: number): Buffer {
    this.#at += length;
    return this.#data.subarray(this.#at - length, this.#at);
  }

  bytes(): Buffer {
    const short = this.raw(1)[0] ?? 0;
    const length = short < 254 ? short : this.raw(3).readUIntLE(0, 3);
    const data = this.raw(length);
    this.#at += (4 - ((length + (short < 254 ? 1 : 4)) % 4)) % 4;
    return data;
  }
}

/** AES-256 in IGE mode, which OpenSSL no longer offers: `iv` is 32 bytes, the data whole blocks. */
function ige(data: Buffer, key: Buffer, iv: Buffer, decrypt: boolean): Buffer {
  const cipher = decrypt ? createDecipheriv('aes-256-ecb', key, null) : createCipheriv('aes-256-ecb', key, null);
  cipher.setAutoPadding(false);
  let [before, after] = decrypt ? [iv.subarray(16), iv.subarray(0, 16)] : [iv.subarray(0, 16), iv.subarray(16)];
  const out = Buffer.alloc(data.length);
  for (let at = 0; at < data.length; at += 16) {
    const block = data.subarray(at, at + 16);
    const mixed = cipher.update(block.map((byte, index) => byte ^ (before[index] ?? 0)));
    const result = mixed.map((byte, index) => byte ^ (after[index] ?? 0));
    out.set(result, at);
    [before, after] = [Buffer.from(result), block];
  }
  return out;
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, factor, left] = [1n, base % PRIME, exponent];
  for (; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * factor) % PRIME;
    factor = (factor * factor) % PRIME;
  }
  return result;
}

const number = (data: Buffer): bigint => BigInt(`0x${data.toString('hex')}`);
const big = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(512, '0'), 'hex');

export interface ServerKey {
  private: KeyObject;
  publicPem: string;
  /** Eight bytes as they stand on the wire. */
  fingerprint: Buffer;
}

export function makeServerKey(): ServerKey {
  for (;;) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
    const fingerprint = sha1(bytes(Buffer.from(n, 'base64url')), bytes(Buffer.from(e, 'base64url'))).subarray(12);
    // Some clients lose leading zeros of the fingerprint.
    if ((fingerprint[7] ?? 0) < 16) continue;
    return {
      private: privateKey,
      publicPem: publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      fingerprint,
    };
  }
}

/** One connection's dialogue: a message in, the messages to answer with. */
export class Dialogue {
  readonly #key: ServerKey;
  readonly #keys: Map<string, Buffer>;
  #nonce = Buffer.alloc(16);
  readonly #serverNonce = randomBytes(16);
  #newNonce = Buffer.alloc(32);
  #secret = 0n;
  #lastId = 0n;

  /** `keys` holds the authorization keys by their id, for all connections. */
  constructor(key: ServerKey, keys: Map<string, Buffer>) {
    this.#key = key;
    this.#keys = keys;
  }

  answer(message: Buffer): Buffer[] {
    if (message.length < 24) return [];
    const id = message.toString('hex', 0, 8);
    if (id !== '0000000000000000') return this.#encrypted(id, message);
    const body = message.subarray(20, 20 + message.readUInt32LE(16));
    const reply = this.#exchange(body);
    return reply === null ? [] : [this.#plain(reply)];
  }

  #exchange(body: Buffer): Buffer | null {
    const read = new Reader(body, 4);
    switch (body.readUInt32LE(0)) {
      case 0x60469778:
      case 0xbe7e8ef1: {
        this.#nonce = Buffer.from(read.raw(16));
        const vector = Buffer.concat([int(0x1cb5c415), int(1), this.#key.fingerprint]);
        return Buffer.concat([int(0x05162463), this.#nonce, this.#serverNonce, bytes(PQ), vector]);
      }
      case 0xd712e4be:
        return this.#dhParameters(read);
      case 0xf5045f1f:
        return this.#dhDone(read);
      default:
        return null;
    }
  }

  /** Open the client's RSA_PAD block and answer with our half of the Diffie-Hellman exchange. */
  #dhParameters(read: Reader): Buffer {
    read.raw(32);
    read.bytes();
    read.bytes();
    read.raw(8);
    const block = privateDecrypt({ key: this.#key.private, padding: constants.RSA_NO_PADDING }, read.bytes());
    const sealed = block.subarray(32);
    const hash = sha256(sealed);
    const temporary = Buffer.from(block.subarray(0, 32).map((byte, index) => byte ^ (hash[index] ?? 0)));
    const inner = Buffer.from(ige(sealed, temporary, Buffer.alloc(32), true).subarray(0, 192)).reverse();
    const fields = new Reader(inner, 4);
    for (let count = 0; count < 3; count++) fields.bytes();
    fields.raw(32);
    this.#newNonce = Buffer.from(fields.raw(32));
    this.#secret = number(randomBytes(256));
    const answer = Buffer.concat([
      int(0xb5890dba),
      this.#nonce,
      this.#serverNonce,
      int(3),
      bytes(big(PRIME)),
      bytes(big(power(3n, this.#secret))),
      int(Math.floor(Date.now() / 1000)),
    ]);
    const hashed = Buffer.concat([sha1(answer), answer]);
    const padded = Buffer.concat([hashed, randomBytes((16 - (hashed.length % 16)) % 16)]);
    const { key, iv } = this.#temporaryKey();
    return Buffer.concat([int(0xd0e8075c), this.#nonce, this.#serverNonce, bytes(ige(padded, key, iv, false))]);
  }

  #dhDone(read: Reader): Buffer {
    read.raw(32);
    const { key, iv } = this.#temporaryKey();
    const inner = new Reader(ige(read.bytes(), key, iv, true), 20 + 4 + 32 + 8);
    const authKey = big(power(number(inner.bytes()), this.#secret));
    this.#keys.set(sha1(authKey).toString('hex', 12), authKey);
    const proof = sha1(this.#newNonce, Buffer.from([1]), sha1(authKey).subarray(0, 8)).subarray(4);
    return Buffer.concat([int(0x3bcbf734), this.#nonce, this.#serverNonce, proof]);
  }

  #temporaryKey(): { key: Buffer; iv: Buffer } {
    const [fresh, server] = [this.#newNonce, this.#serverNonce];
    const mixed = sha1(server, fresh);
    return {
      key: Buffer.concat([sha1(fresh, server), mixed.subarray(0, 12)]),
      iv: Buffer.concat([mixed.subarray(12), sha1(fresh, fresh), fresh.subarray(0, 4)]),
    };
  }

  #encrypted(id: string, message: Buffer): Buffer[] {
    const authKey = this.#keys.get(id);
    if (authKey === undefined) return [int(-404)];
    const messageKey = message.subarray(8, 24);
    const sealed = message.subarray(24, message.length - ((message.length - 24) % 16));
    const { key, iv } = messageKeys(authKey, messageKey, 0);
    const plain = ige(sealed, key, iv, true);
    if (!sha256(authKey.subarray(88, 120), plain).subarray(8, 24).equals(messageKey)) return [int(-404)];
    const session = plain.subarray(0, 16);
    return unpack(plain.subarray(16)).flatMap(({ messageId, body }) => {
      const reply = replyTo(messageId, body);
      return reply === null ? [] : [this.#seal(id, authKey, session, reply)];
    });
  }

  #seal(id: string, authKey: Buffer, session: Buffer, body: Buffer): Buffer {
    const head = Buffer.concat([session, this.#messageId(), int(1), int(body.length)]);
    const bare = Buffer.concat([head, body]);
    const plain = Buffer.concat([bare, randomBytes(12 + ((16 - ((bare.length + 12) % 16)) % 16))]);
    const messageKey = sha256(authKey.subarray(96, 128), plain).subarray(8, 24);
    const { key, iv } = messageKeys(authKey, messageKey, 8);
    return Buffer.concat([Buffer.from(id, 'hex'), messageKey, ige(plain, key, iv, false)]);
  }

  #plain(body: Buffer): Buffer {
    return Buffer.concat([Buffer.alloc(8), this.#messageId(), int(body.length), body]);
  }

  /** Time-based and odd, as a server's answers are. */
  #messageId(): Buffer {
    const now = (BigInt(Math.floor(Date.now() / 1000)) << 32n) | 1n;
    this.#lastId = now > this.#lastId ? now : this.#lastId + 4n;
    const out = Buffer.alloc(8);
    out.writeBigUInt64LE(this.#lastId);
    return out;
  }
}

/** AES key and IV of an MTProto 2.0 message; `x` is 0 from the client and 8 from the server. */
function messageKeys(authKey: Buffer, messageKey: Buffer, x: number): { key: Buffer; iv: Buffer } {
  const a = sha256(messageKey, authKey.subarray(x, x + 36));
  const b = sha256(authKey.subarray(40 + x, 76 + x), messageKey);
  return {
    key: Buffer.concat([a.subarray(0, 8), b.subarray(8, 24), a.subarray(24)]),
    iv: Buffer.concat([b.subarray(0, 8), a.subarray(8, 24), b.subarray(24)]),
  };
}

/** The messages of a decrypted packet, taken out of their container. */
function unpack(packet: Buffer): { messageId: Buffer; body: Buffer }[] {
  const messageId = packet.subarray(0, 8);
  const body = packet.subarray(16, 16 + packet.readUInt32LE(12));
  if (body.readUInt32LE(0) !== 0x73f1f8dc) return [{ messageId, body }];
  const messages: { messageId: Buffer; body: Buffer }[] = [];
  for (let at = 8, left = body.readUInt32LE(4); left > 0; left--) {
    messages.push(...unpack(body.subarray(at)));
    at += 16 + body.readUInt32LE(at + 12);
  }
  return messages;
}

const GET_NEAREST_DC = int(0x1fb33026);

/** Answer help.getNearestDc, however it is wrapped, and pings. */
function replyTo(messageId: Buffer, body: Buffer): Buffer | null {
  const constructor = body.readUInt32LE(0);
  if (constructor === 0xf3427b8c || constructor === 0x7abe77ec) {
    return Buffer.concat([int(0x347773c5), messageId, body.subarray(4, 12)]);
  }
  if (!body.includes(GET_NEAREST_DC)) return null;
  return Buffer.concat([int(0xf35c6d01), messageId, int(0x8e1a1775), bytes(Buffer.from('NL')), int(2), int(4)]);
}
