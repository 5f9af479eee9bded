import { getSystemErrorName } from 'node:util';
import type { Ctr } from '../../lib/protocol/ctr.ts';
import type { RecordReader } from '../../lib/protocol/tls-record.ts';
import type { NativeAccelerator } from '../../lib/system/accelerator.ts';
import { FORM, FORM_PLACES, type NativeLanes, REASON } from '../../lib/system/native-lanes.ts';
import type { Conn } from './conn.ts';

/** Lanes that one call tells of. */
const TALLY_ROOM = 256;

/** The streams that one direction's bytes come out of and go into. */
export interface Direction {
  from: Ctr;
  to: Ctr;
}

/** What goes through a lane. */
export interface LaneUser {
  /** 0 outside of a lane. `Lanes` owns it. */
  lane: number;
  readonly client: Conn;
  readonly upstream: Conn;
  /** Null when the client's stream is in no TLS records. */
  readonly records: RecordReader | null;
  readonly up: Direction;
  /** Null for bytes that stay as they are. */
  readonly down: Direction | null;
  /** So many payload bytes more have gone through. */
  moved(up: number, down: number): void;
  /** The client sent what is no record. */
  invalid(): void;
  /** Something threw: give up this connection, and not the worker's others. */
  onFault(error: unknown): void;
}

/**
 * The lanes of this worker: while all goes well, a relay's bytes go from socket to socket in the accelerator, without a call of
 * JavaScript. Whatever else happens is handed over, and the relay goes on as it would have without. There are at most 4,096
 * at once; a relay that finds none goes on as it is.
 */
export class Lanes {
  readonly #native: NativeLanes;
  readonly #users = new Map<number, LaneUser>();
  readonly #form = new Float64Array(FORM_PLACES);
  readonly #tally = new Float64Array(3 * TALLY_ROOM);

  private constructor(native: NativeLanes) {
    this.#native = native;
  }

  /** Null where there is no accelerator, or none with lanes, or the system refuses them. */
  static start(native: NativeAccelerator | null): Lanes | null {
    if (native === null || !hasLanes(native)) return null;
    const lanes = new Lanes(native);
    const started = native.startLanes((lane, reason, side, errno, rest) => {
      lanes.#handedOver(lane, reason, { side, errno, rest });
    });
    return started ? lanes : null;
  }

  /** Give a relay a lane, if there is one and both of its sockets can be lent. */
  enter(user: LaneUser): void {
    const [clientFd, dcFd] = [user.client.lendable(), user.upstream.lendable()];
    if (clientFd === null || dcFd === null) return;
    const form = this.#form;
    form[FORM.clientFd] = clientFd;
    form[FORM.dcFd] = dcFd;
    form[FORM.clientUp] = user.up.from.handle();
    form[FORM.dcUp] = user.up.to.handle();
    form[FORM.dcDown] = user.down?.from.handle() ?? 0;
    form[FORM.clientDown] = user.down?.to.handle() ?? 0;
    form[FORM.framed] = user.records === null ? 0 : 1;
    form.fill(0, FORM.records);
    user.records?.save(form, FORM.records);
    const lane = this.#native.enter(form);
    if (lane === 0) return;
    user.lane = lane;
    this.#users.set(lane, user);
    const recall = (): void => this.leave(user);
    user.client.lend(recall);
    user.upstream.lend(recall);
  }

  /** Have a relay go on without a lane. From here on nothing but its own sockets touches their descriptors. */
  leave(user: LaneUser): void {
    const { lane } = user;
    if (lane === 0) return;
    user.lane = 0;
    this.#users.delete(lane);
    this.#native.leave(lane, this.#form);
    const up = this.#form[FORM.upBytes] as number;
    const down = this.#form[FORM.downBytes] as number;
    user.records?.restore(this.#form, FORM.records);
    if (up > 0 || down > 0) settle(user, up, down);
    user.client.takeBack();
    user.upstream.takeBack();
  }

  /** Bring the books up to date. */
  collect(): void {
    const tally = this.#tally;
    let count: number;
    do {
      count = this.#native.tally(tally);
      for (let at = 0; at < 3 * count; at += 3) {
        const user = this.#users.get(tally[at] as number);
        if (user !== undefined) settle(user, tally[at + 1] as number, tally[at + 2] as number);
      }
    } while (count === TALLY_ROOM);
  }

  #handedOver(
    lane: number,
    reason: number,
    { side, errno, rest }: { side: number; errno: number; rest: Buffer | undefined },
  ): void {
    const user = this.#users.get(lane) as LaneUser;
    try {
      this.leave(user);
      const [conn, source] = side === 0 ? [user.client, user.upstream] : [user.upstream, user.client];
      if (reason === REASON.failed) conn.destroy(getSystemErrorName(-errno));
      else if (reason === REASON.invalid) user.invalid();
      else if (rest !== undefined && !conn.write(rest)) source.pause();
    } catch (error) {
      user.onFault(error);
    }
  }
}

function hasLanes(native: NativeAccelerator): native is NativeAccelerator & NativeLanes {
  return native.startLanes !== undefined;
}

function settle(user: LaneUser, up: number, down: number): void {
  user.up.from.advance(up);
  user.up.to.advance(up);
  user.down?.from.advance(down);
  user.down?.to.advance(down);
  user.moved(up, down);
}
