import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import net, { type AddressInfo } from 'node:net';
import type { Conn } from '../../src/daemon/engine/conn.ts';
import { dial } from '../../src/daemon/engine/dial.ts';
import { Lanes } from '../../src/daemon/engine/lanes.ts';
import { listen } from '../../src/daemon/engine/listener.ts';
import type { Plane } from '../../src/daemon/engine/plane.ts';
import { Session } from '../../src/daemon/engine/session.ts';
import { Counters } from '../../src/daemon/engine/shared/counters.ts';
import { Gauges } from '../../src/daemon/engine/shared/gauges.ts';
import { UserTable } from '../../src/daemon/engine/shared/user-table.ts';
import { Relay } from '../../src/daemon/engine/stages/relay.ts';
import { Stay } from '../../src/daemon/engine/stay.ts';
import { Wheel } from '../../src/daemon/engine/wheel.ts';
import { accelerate, Ctr } from '../../src/lib/protocol/ctr.ts';
import { RecordReader } from '../../src/lib/protocol/tls-record.ts';
import type { NativeAccelerator } from '../../src/lib/system/accelerator.ts';
import { appData } from './raw-client.ts';
import { readOpening, type Stream } from './wire.ts';

/** Relays in this process, between sockets of the test, with everything around them as in a worker. */

export interface RigOptions {
  native: NativeAccelerator | null;
  fast?: boolean;
  framed?: boolean;
  idleMs?: number;
}

/** One end of a relay, which checks nothing and keeps everything that comes. */
export class End {
  readonly socket: net.Socket;
  readonly #open: (wire: Buffer) => Buffer;
  readonly #seal: (plain: Buffer) => Buffer;
  /** Sizes of what came in records, if it did. */
  readonly records: number[] = [];
  received = 0;
  readonly digest = createHash('sha256');
  last: Buffer = Buffer.alloc(0);
  ended: string | null = null;

  constructor(socket: net.Socket, open: (wire: Buffer) => Buffer, seal: (plain: Buffer) => Buffer) {
    this.socket = socket;
    this.#open = open;
    this.#seal = seal;
    socket.on('end', () => (this.ended ??= 'fin'));
    socket.on('error', (error: NodeJS.ErrnoException) => (this.ended ??= error.code ?? error.message));
    socket.on('close', () => (this.ended ??= 'closed'));
  }

  take(wire: Buffer): void {
    const plain = this.#open(wire);
    this.received += plain.length;
    this.digest.update(plain);
    this.last = Buffer.concat([this.last, plain]).subarray(-65_536);
  }

  send(plain: Buffer): void {
    this.socket.write(this.#seal(plain));
  }
}

export interface RelayEnds {
  session: Session;
  relay: Relay;
  client: End;
  dc: End;
}

export class RelayRig {
  readonly plane: Plane;
  readonly counters = Counters.create(1);
  /** Everybody is the user of row 0, with the secret of row 1. */
  readonly users = UserTable.create(1000, 1);
  readonly sessions = new Set<Session>();
  readonly #options: Required<RigOptions>;
  readonly #dcs: net.Server;
  #accepted: (conn: Conn) => void = () => undefined;
  #dialled: (socket: net.Socket) => void = () => undefined;
  #opening: Promise<void> = Promise.resolve();
  #port = 0;
  #close: () => void = () => undefined;

  private constructor(options: Required<RigOptions>) {
    this.#options = options;
    accelerate(options.native);
    const lanes = Lanes.start(options.native);
    const unlimited = { connections: null, networks: null, upBytesPerSecond: null, downBytesPerSecond: null };
    for (const row of [0, 1]) this.users.setLimits(row, unlimited);
    this.plane = {
      settings: { fastMode: options.fast, limits: { idleMs: options.idleMs } },
      counters: this.counters.row(0),
      gauges: Gauges.create(1).row(0),
      wheel: new Wheel(() => lanes?.collect()),
      lanes,
      event: () => undefined,
    } as unknown as Plane;
    this.#dcs = net.createServer({ allowHalfOpen: true }, (socket) => this.#dialled(socket));
  }

  static async open(options: RigOptions): Promise<RelayRig> {
    const rig = new RelayRig({ fast: true, framed: true, idleMs: 600_000, ...options });
    await new Promise<void>((resolve) => rig.#dcs.listen(0, '127.0.0.1', resolve));
    const at = { host: '127.0.0.1', port: 0, backlog: 1000 };
    const onConnection = (conn: Conn): void => rig.#accepted(conn);
    const listener = await listen(at, { onConnection, onAcceptError: () => undefined });
    rig.#port = listener.port;
    rig.#close = () => listener.close();
    return rig;
  }

  /** A relay that nothing has gone through yet. */
  async relay(): Promise<RelayEnds> {
    // One after the other, to know which connection is whose.
    const opened = this.#opening.then(async () => this.#relay());
    this.#opening = opened.then(() => undefined);
    return opened;
  }

  #stay(): Stay {
    const user = { row: 0, secretRow: 1, key: randomBytes(16), domain: 'cover.test', stale: false };
    return Stay.begin(this.users.worker(0), user, { low: 1, high: 1 }, 1) as Stay;
  }

  async #relay(): Promise<RelayEnds> {
    const { framed } = this.#options;
    const accepted = new Promise<Conn>((resolve) => (this.#accepted = resolve));
    const clientSocket = net.connect({ host: '127.0.0.1', port: this.#port, allowHalfOpen: true, noDelay: true });
    const conn = await accepted;
    const session = new Session(this.plane, conn, (over) => this.sessions.delete(over));
    session.stay = this.#stay();
    this.sessions.add(session);
    const dialled = new Promise<net.Socket>((resolve) => (this.#dialled = resolve));
    const idle = { onData() {}, onEnd() {}, onDrain() {}, onClose() {}, onFault() {} };
    const upstream = dial(idle, { host: '127.0.0.1', port: (this.#dcs.address() as AddressInfo).port });
    const dcSocket = await dialled;
    if (upstream.socket.connecting) await new Promise((resolve) => upstream.socket.once('connect', resolve));

    const [upKey, downKey] = [randomBytes(48), randomBytes(48)];
    const header = {
      transport: 'padded' as const,
      dc: 2,
      up: new Ctr(upKey),
      down: new Ctr(downKey),
      downKeyIv: downKey,
    };
    const relay = new Relay(session, upstream, {
      header,
      records: framed ? new RecordReader() : null,
      rest: Buffer.alloc(0),
    });

    const sealing = createCipheriv('aes-256-ctr', upKey.subarray(0, 32), upKey.subarray(32));
    const opening = createDecipheriv('aes-256-ctr', downKey.subarray(0, 32), downKey.subarray(32));
    let waiting = Buffer.alloc(0);
    const unframe = (wire: Buffer): Buffer => {
      waiting = Buffer.concat([waiting, wire]);
      const parts: Buffer[] = [];
      while (waiting.length >= 5 && waiting.length >= 5 + waiting.readUInt16BE(3)) {
        if (waiting.readUIntBE(0, 3) !== 0x170303) throw new Error('no record');
        const length = waiting.readUInt16BE(3);
        client.records.push(length);
        parts.push(waiting.subarray(5, 5 + length));
        waiting = waiting.subarray(5 + length);
      }
      return Buffer.concat(parts);
    };
    const client: End = new End(
      clientSocket,
      (wire) => opening.update(framed ? unframe(wire) : wire),
      (plain) => {
        const sealed = sealing.update(plain);
        return framed ? inRecords(sealed) : sealed;
      },
    );
    clientSocket.on('data', (chunk) => client.take(chunk));

    let stream: Stream | null = null;
    let introduction = Buffer.alloc(0);
    const dc = new End(
      dcSocket,
      (wire) => (stream as Stream).decrypt(wire),
      (plain) => (stream as Stream).encrypt(plain),
    );
    await new Promise<void>((resolve) => {
      dcSocket.on('data', (chunk: Buffer) => {
        if (stream !== null) {
          dc.take(chunk);
          return;
        }
        introduction = Buffer.concat([introduction, chunk]);
        if (introduction.length < 64) return;
        stream = readOpening(introduction.subarray(0, 64))?.stream ?? null;
        resolve();
      });
    });
    return { session, relay, client, dc };
  }

  /** A relay that has gone into its lane, where there are lanes. */
  async warmRelay(): Promise<RelayEnds> {
    const ends = await this.relay();
    for (let turn = 1; turn <= 5; turn++) {
      ends.client.send(Buffer.from('ping'));
      await until(() => ends.dc.received === 4 * turn);
      ends.dc.send(Buffer.from('pong'));
      await until(() => ends.client.received === 4 * turn);
    }
    return ends;
  }

  async close(): Promise<void> {
    for (const session of this.sessions) session.close('stopped');
    await until(() => this.sessions.size === 0);
    this.#close();
    this.#dcs.close();
    this.plane.wheel.close();
    accelerate(null);
  }
}

/** In records as phones send them. */
function inRecords(sealed: Buffer, size = 2878): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < sealed.length; at += size) parts.push(appData(sealed.subarray(at, at + size)));
  return Buffer.concat(parts);
}

/** Wait for something that is about to happen; after `ms` go on without. */
export async function until(done: () => boolean, ms = 15_000): Promise<void> {
  const end = performance.now() + ms;
  while (!done()) {
    if (performance.now() > end) throw new Error('it did not happen');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
