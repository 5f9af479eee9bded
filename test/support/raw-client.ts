import { createHmac, randomBytes } from 'node:crypto';
import net from 'node:net';
import { clientOpening, frame, requestPq, type Stream, type Tag, unframe } from './wire.ts';

/** A client of the proxy down to the byte, with the freedom to do everything wrong. */

export interface Target {
  host: string;
  port: number;
}

export interface HelloOptions {
  key: Buffer;
  domain?: string | null;
  /** Seconds added to the clock. */
  skew?: number;
  ciphers?: number[];
  postQuantum?: boolean;
}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const vector = (body: Buffer): Buffer => Buffer.concat([u16(body.length), body]);
const extension = (type: number, body: Buffer): Buffer => Buffer.concat([u16(type), vector(body)]);

/** A signed ClientHello of about 1.7 KB with a post-quantum share, or of 517 bytes without. */
export function makeHello({ key, domain = 'cover.test', skew = 0, ciphers, postQuantum = true }: HelloOptions): Buffer {
  const name = Buffer.from(domain ?? '');
  const shares = [Buffer.concat([u16(0x1d), vector(randomBytes(32))])];
  if (postQuantum) shares.unshift(Buffer.concat([u16(0x11ec), vector(randomBytes(1216))]));
  const extensions = [
    ...(domain === null ? [] : [extension(0, vector(Buffer.concat([Buffer.from([0]), vector(name)])))]),
    extension(43, Buffer.from([4, 3, 4, 3, 3])),
    extension(51, vector(Buffer.concat(shares))),
  ];
  const before = Buffer.concat(extensions);
  const suites = Buffer.concat((ciphers ?? [0x5a5a, 0x1301, 0x1302, 0x1303]).map(u16));
  const fixed = 5 + 4 + 2 + 32 + 1 + 32 + 2 + suites.length + 2 + 2;
  const size = postQuantum ? 1700 : 517;
  const list = Buffer.concat([before, extension(21, Buffer.alloc(Math.max(0, size - fixed - before.length - 4)))]);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32),
    Buffer.from([32]),
    randomBytes(32),
    vector(suites),
    Buffer.from([1, 0]),
    vector(list),
  ]);
  const message = Buffer.concat([Buffer.from([1, 0]), u16(body.length), body]);
  const record = Buffer.concat([Buffer.from([0x16, 3, 1]), u16(message.length), message]);
  const digest = createHmac('sha256', key).update(record).digest();
  const time = Math.floor(Date.now() / 1000) + skew;
  digest.writeUInt32LE((digest.readUInt32LE(28) ^ time) >>> 0, 28);
  digest.copy(record, 11);
  return record;
}

/** The same hello with its handshake message in `count` records. */
export function splitHello(hello: Buffer, count: number): Buffer {
  const message = hello.subarray(5);
  const step = Math.ceil(message.length / count);
  const parts = Array.from({ length: count }, (_, at) => message.subarray(at * step, (at + 1) * step));
  return Buffer.concat(parts.map((part) => Buffer.concat([Buffer.from([0x16, 3, 1]), u16(part.length), part])));
}

export function appData(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x17, 3, 3]), u16(payload.length), payload]);
}

export const CCS = Buffer.from([0x14, 3, 3, 0, 1, 1]);

/** A socket that collects what it receives, and remembers how it ended. */
export class Peer {
  readonly socket: net.Socket;
  received = Buffer.alloc(0);
  ended: string | null = null;
  #wake: (() => void)[] = [];

  constructor(socket: net.Socket) {
    this.socket = socket;
    const wake = (): void => {
      for (const next of this.#wake.splice(0)) next();
    };
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      wake();
    });
    socket.on('end', () => {
      this.ended ??= 'fin';
      wake();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.ended ??= error.code ?? error.message;
      wake();
    });
    socket.on('close', () => {
      this.ended ??= 'closed';
      wake();
    });
  }

  static async open(target: Target, options: net.NetConnectOpts | object = {}): Promise<Peer> {
    const socket = net.connect({ ...target, ...options, noDelay: true } as net.NetConnectOpts);
    const peer = new Peer(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return peer;
  }

  send(data: Buffer): void {
    this.socket.write(data);
  }

  /** Send in pieces that arrive as segments of their own. */
  async dribble(data: Buffer, size: number): Promise<void> {
    for (let at = 0; at < data.length; at += size) {
      this.socket.write(data.subarray(at, at + size));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Wait until `done` finds what it looks for, or the connection has ended. */
  async until<Found>(done: () => Found | null, timeoutMs = 10_000): Promise<Found | null> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = done();
      if (found !== null || this.ended !== null || Date.now() > deadline) return found;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(1, deadline - Date.now()));
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Take the first `count` bytes, or null when the connection ends before. */
  async take(count: number): Promise<Buffer | null> {
    const found = await this.until(() => (this.received.length >= count ? true : null));
    if (found === null) return null;
    const taken = this.received.subarray(0, count);
    this.received = Buffer.from(this.received.subarray(count));
    return taken;
  }

  /** How the connection ended: `fin` or an error code. */
  async end(timeoutMs = 10_000): Promise<string | null> {
    await this.until(() => this.ended, timeoutMs);
    return this.ended;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Read the server's flight and say whether it is that of a proxy that knows `key`. */
export async function acceptsHello(peer: Peer, hello: Buffer, key: Buffer): Promise<boolean> {
  const first = await peer.take(5);
  if (first?.[0] !== 0x16) return false;
  const serverHello = await peer.take(first.readUInt16BE(3));
  const middle = await peer.take(11);
  if (serverHello === null || middle === null) return false;
  const body = await peer.take(middle.readUInt16BE(9));
  if (body === null) return false;
  const flight = Buffer.concat([first, serverHello, middle, body]);
  const digest = Buffer.from(flight.subarray(11, 43));
  flight.fill(0, 11, 43);
  const expected = createHmac('sha256', key).update(hello.subarray(11, 43)).update(flight).digest();
  return digest.equals(expected);
}

/** An open session through the proxy: plain bytes to and from the data centre. */
export class Session {
  readonly peer: Peer;
  readonly tag: Tag;
  readonly #stream: Stream;
  readonly #inTls: boolean;
  plain = Buffer.alloc(0);

  constructor(peer: Peer, tag: Tag, stream: Stream, inTls: boolean) {
    this.peer = peer;
    this.tag = tag;
    this.#stream = stream;
    this.#inTls = inTls;
  }

  /** Encrypt and send; `recordSize` is the payload of each TLS record. */
  send(data: Buffer, recordSize = 2878): void {
    const sealed = this.#stream.encrypt(data);
    this.peer.send(this.#inTls ? inRecords(sealed, recordSize) : sealed);
  }

  /** The next `count` plain bytes, or null when the connection ends before. */
  async read(count: number, timeoutMs = 10_000): Promise<Buffer | null> {
    const found = await this.peer.until(() => {
      this.#drain();
      return this.plain.length >= count ? true : null;
    }, timeoutMs);
    if (found === null) return null;
    const taken = this.plain.subarray(0, count);
    this.plain = Buffer.from(this.plain.subarray(count));
    return taken;
  }

  /** Ask for a key exchange and check that the answer is meant for us. */
  async reqPq(): Promise<boolean> {
    const nonce = randomBytes(16);
    this.send(frame(this.tag, requestPq(nonce)));
    const answer = await this.peer.until(() => {
      this.#drain();
      return unframe(this.tag, this.plain);
    }, 5000);
    if (answer === null) return false;
    this.plain = Buffer.from(this.plain.subarray(answer.used));
    return answer.payload.readUInt32LE(20) === 0x05162463 && answer.payload.subarray(24, 40).equals(nonce);
  }

  #drain(): void {
    const { peer } = this;
    const parts: Buffer[] = [];
    if (!this.#inTls) parts.push(peer.received);
    let at = this.#inTls ? 0 : peer.received.length;
    while (this.#inTls && peer.received.length >= at + 5) {
      const length = peer.received.readUInt16BE(at + 3);
      if (peer.received.length < at + 5 + length) break;
      if (peer.received.readUIntBE(at, 3) !== 0x170303) throw new Error('not an application-data record');
      parts.push(peer.received.subarray(at + 5, at + 5 + length));
      at += 5 + length;
    }
    if (at === 0) return;
    const sealed = Buffer.concat(parts);
    peer.received = Buffer.from(peer.received.subarray(at));
    this.plain = Buffer.concat([this.plain, this.#stream.decrypt(sealed)]);
  }
}

function inRecords(data: Buffer, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < data.length; at += size) parts.push(appData(data.subarray(at, at + size)));
  return Buffer.concat(parts);
}

export interface ConnectOptions extends Omit<HelloOptions, 'key'> {
  key: Buffer;
  tag?: Tag;
  dc?: number;
  /** Options of the socket, such as a local address. */
  socket?: object;
}

/** Open a session in fake-TLS; null when the proxy does not prove that it knows the key. */
export async function connectEe(target: Target, options: ConnectOptions): Promise<Session | null> {
  const { tag = 'dd', dc = 2, socket = {}, key } = options;
  const peer = await Peer.open(target, socket);
  const hello = makeHello(options);
  peer.send(hello);
  if (!(await acceptsHello(peer, hello, key))) {
    peer.close();
    return null;
  }
  const { header, stream } = clientOpening(tag, dc, key);
  peer.send(Buffer.concat([CCS, appData(header)]));
  return new Session(peer, tag, stream, true);
}

/** Open a session in bare obfuscated2; whether it is accepted shows at the first answer. */
export async function connectBare(
  target: Target,
  { key, tag = 'dd', dc = 2, socket = {} }: ConnectOptions,
): Promise<Session> {
  const peer = await Peer.open(target, socket);
  const { header, stream } = clientOpening(tag, dc, key);
  peer.send(header);
  return new Session(peer, tag, stream, false);
}
