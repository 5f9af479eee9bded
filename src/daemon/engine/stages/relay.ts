import { randomBytes } from 'node:crypto';
import { Ctr } from '../../../lib/protocol/ctr.ts';
import { makeHeader, type OpenedHeader } from '../../../lib/protocol/obfuscated2.ts';
import { framedBytes, frameRecords, type RecordReader } from '../../../lib/protocol/tls-record.ts';
import { BULK_BYTES, type Conn, type ConnOwner } from '../conn.ts';
import type { Direction, LaneUser } from '../lanes.ts';
import { Pace } from '../pace.ts';
import type { Stay } from '../stay.ts';
import { TICK_MS } from '../wheel.ts';
import { HALF_CLOSED_MS, QUIET_CHECK_MS, type Stage, type StageSession } from './stage.ts';

/** One write takes a whole bulk read with its record headers. Shared by the sessions of this thread. */
const frames = Buffer.allocUnsafeSlow(framedBytes(BULK_BYTES));

/** Reads in a row, each taken whole by the other side, after which a relay is worth a lane: short sessions never are. */
const LANE_AFTER = 4;

/** A client's stream as it stands once its header has been read. */
export interface ClientStream {
  header: OpenedHeader;
  /** Takes the stream out of TLS records; null on a bare connection. */
  records: RecordReader | null;
  /** Bytes of the stream that came with the header. */
  rest: Buffer;
}

/**
 * Bytes between one client and its DC. A side that does not take what it is given stops the other: what is held for it is
 * never more than one read, at most 256 KiB and normally 64 KiB.
 */
export class Relay implements Stage, ConnOwner, LaneUser {
  readonly inUse = true;
  lane = 0;
  readonly client: Conn;
  readonly upstream: Conn;
  readonly records: RecordReader | null;
  readonly up: Direction;
  /** Null in fast mode, where what the DC sends is what the client gets (protocol.md §6.3). */
  readonly down: Direction | null;
  readonly #session: StageSession;
  readonly #stay: Stay;
  /** What keeps either direction to the user's speed, once it had to. */
  readonly #paces: { up: Pace | null; down: Pace | null } = { up: null, down: null };
  #reads = 0;
  /** Wheel tick of the last byte in either direction. */
  #lastActive: number;

  /** Introduce ourselves to a connected DC as this client, with what the client has said so far (protocol.md §6.2). */
  constructor(session: StageSession, upstream: Conn, { header, records, rest }: ClientStream) {
    const { settings, gauges, wheel } = session.plane;
    const { transport, dc, up, down, downKeyIv } = header;
    const fast = settings.fastMode ? { downKeyIv } : {};
    const made = makeHeader({ transport, dc, random: randomBytes, secret: null, ...fast });
    this.#session = session;
    this.#stay = session.stay as Stay;
    this.client = session.conn;
    this.upstream = upstream;
    this.records = records;
    this.up = { from: up, to: made.up };
    this.down = settings.fastMode ? null : { from: made.down, to: down };
    this.#lastActive = wheel.now;
    upstream.owner = this;
    session.enter(this);
    session.report('ok');
    session.setDeadline(Math.min(settings.limits.idleMs, QUIET_CHECK_MS));
    if (!session.own) gauges.add('relayed', 1);
    // The small reads of the opening suit a user whose speed is limited: less is waited for at a time.
    if (!this.#stay.slowed) for (const conn of [upstream, this.client]) conn.relay();
    upstream.write(rest.length === 0 ? made.wire : Buffer.concat([made.wire, this.#passUp(rest, rest.length)]));
    if (upstream.queued === 0) this.client.resume();
  }

  clientData(buffer: Buffer, length: number): void {
    this.#lastActive = this.#session.plane.wheel.now;
    const count = this.records === null ? length : this.records.unwrap(buffer, length);
    if (count === -1) this.invalid();
    else if (count > 0) this.#passed('up', count, this.upstream.write(this.#passUp(buffer, count), count));
  }

  /** Count `buffer[0:length)` of the client's stream, and make it the DC's: the first `length` bytes of the result. */
  #passUp(buffer: Buffer, length: number): Buffer {
    this.#count(length, 0);
    return Ctr.recrypt(this.up.from, this.up.to, buffer, length);
  }

  #count(up: number, down: number): void {
    if (this.#session.own) return;
    const { counters } = this.#session.plane;
    if (up > 0) counters.up(up);
    if (down > 0) counters.down(down);
    this.#stay.moved(up, down);
  }

  /** After a read: stop reading where the other side did not take all of it, or the user's speed is spent. */
  #passed(direction: 'up' | 'down', bytes: number, taken: boolean): void {
    const { slowed } = this.#stay;
    const source = direction === 'up' ? this.client : this.upstream;
    const wait = slowed ? this.#stay.pay(direction, bytes) : 0;
    if (!taken || wait > 0) source.pause();
    if (wait > 0) this.#pace(direction).hold(wait);
    if (!slowed) this.#tryLane(taken);
  }

  #pace(direction: 'up' | 'down'): Pace {
    const [source, sink] = direction === 'up' ? [this.client, this.upstream] : [this.upstream, this.client];
    const { wheel } = this.#session.plane;
    return (this.#paces[direction] ??= new Pace(wheel, () => {
      if (sink.queued === 0) source.resume();
    }));
  }

  /** Leave the rest to a lane, if this goes well for a while. */
  #tryLane(taken: boolean): void {
    const { lanes } = this.#session.plane;
    if (lanes === null) return;
    this.#reads = taken ? this.#reads + 1 : 0;
    if (this.#reads < LANE_AFTER) return;
    this.#reads = 0;
    lanes.enter(this);
  }

  moved(up: number, down: number): void {
    this.#lastActive = this.#session.plane.wheel.now;
    this.#count(up, down);
  }

  userChanged(): void {
    // A lane knows no speed.
    if (this.#stay.slowed) this.#session.plane.lanes?.leave(this);
    this.#paces.up?.lift();
    this.#paces.down?.lift();
  }

  invalid(): void {
    this.#session.close('client_fault');
  }

  /** Bytes of the DC. */
  onData(_upstream: Conn, buffer: Buffer, length: number): void {
    if (this.client.closed) return;
    this.#lastActive = this.#session.plane.wheel.now;
    this.#count(0, length);
    const bytes = this.down === null ? buffer : Ctr.recrypt(this.down.from, this.down.to, buffer, length);
    const taken =
      this.records === null
        ? this.client.write(bytes, length)
        : this.client.write(frames, frameRecords(bytes, frames, length));
    this.#passed('down', length, taken);
  }

  clientDrained(): void {
    if (this.#paces.down?.holding !== true) this.upstream.resume();
  }

  onDrain(): void {
    if (this.#paces.up?.holding !== true) this.client.resume();
  }

  clientEnded(): void {
    this.upstream.end();
  }

  onEnd(): void {
    if (!this.client.ended) this.#session.ending('upstream');
    this.client.end();
  }

  /** Close a connection on which nothing has moved for too long; hold no ciphers for it well before. */
  deadline(): void {
    const { wheel, settings } = this.#session.plane;
    const quiet = (wheel.now - this.#lastActive) * TICK_MS;
    const { idleMs } = settings.limits;
    // A side that has said FIN is often gone altogether, so less is waited for then.
    const halfClosed = this.client.ended || this.upstream.ended;
    const limit = halfClosed ? Math.min(idleMs, HALF_CLOSED_MS) : idleMs;
    if (quiet >= limit) {
      this.#session.close('idle');
      return;
    }
    if (quiet >= QUIET_CHECK_MS) this.#rest();
    this.#session.setDeadline(Math.min(limit - quiet, QUIET_CHECK_MS));
  }

  /** The ciphers are made again from their offsets when something moves. */
  #rest(): void {
    this.#session.plane.lanes?.leave(this);
    for (const direction of [this.up, this.down]) {
      direction?.from.rest();
      direction?.to.rest();
    }
  }

  clientClosed(error: string | null): void {
    if (!this.#session.own) this.#session.plane.gauges.add('relayed', -1);
    this.#paces.up?.end();
    this.#paces.down?.end();
    this.#rest();
    if (!this.upstream.closed) this.upstream.closeLike(error);
  }

  onClose(_upstream: Conn, error: string | null): void {
    if (error !== null) this.#session.ending('upstream_reset');
    else if (!this.client.ended) this.#session.ending('upstream');
    this.client.closeLike(error);
  }

  onFault(error: unknown): void {
    this.#session.onFault(error);
  }
}
