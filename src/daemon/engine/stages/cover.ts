import type { Endpoint } from '../../supervisor/engine.ts';
import { type CoverEvents, CoverRelay } from '../cover-relay.ts';
import { isLoop } from '../loop-guard.ts';
import { TICK_MS } from '../wheel.ts';
import { HALF_CLOSED_MS, plainAddress, QUIET_CHECK_MS, type Stage, type StageSession } from './stage.ts';

/** A connection that is the cover's to answer, to its end (protocol.md §4). */
export class CoverStage implements Stage, CoverEvents {
  readonly inUse = true;
  readonly #session: StageSession;
  readonly #cover: CoverRelay | null;
  /** Wheel tick of the last byte in either direction. */
  #lastActive: number;

  /** `listening` is the cover that has seen all of `opening` already; null when it has yet to be asked. */
  constructor(session: StageSession, peer: Endpoint, opening: Buffer, listening: CoverRelay | null) {
    const { wheel, settings } = session.plane;
    this.#session = session;
    this.#lastActive = wheel.now;
    session.enter(this);
    session.conn.relay();
    session.setDeadline(Math.min(settings.cover.idleMs, QUIET_CHECK_MS));
    this.#cover = listening ?? attachCover(session, peer, opening, this);
    if (listening === null) this.#cover?.start();
    else listening.events = this;
  }

  clientData(buffer: Buffer, length: number): void {
    const data = buffer.subarray(0, length);
    this.onSpoken();
    this.#cover?.send(data);
  }

  clientEnded(): void {
    this.#cover?.clientEnded();
  }

  clientDrained(): void {
    this.#cover?.clientDrained();
  }

  deadline(): void {
    const { wheel, settings } = this.#session.plane;
    const quiet = (wheel.now - this.#lastActive) * TICK_MS;
    const { idleMs } = settings.cover;
    const limit = this.#session.conn.ended ? Math.min(idleMs, HALF_CLOSED_MS) : idleMs;
    if (quiet >= limit) this.#session.close('idle');
    else this.#session.setDeadline(Math.min(limit - quiet, QUIET_CHECK_MS));
  }

  clientClosed(error: string | null): void {
    this.#cover?.clientClosed(error);
  }

  onSpoken(): void {
    this.#lastActive = this.#session.plane.wheel.now;
  }

  /** Without a cover, strangers meet a reset. */
  onUnavailable(why: string): void {
    this.#session.plane.event('warn', 'cover_unavailable', { why });
    this.#session.ending('refused');
    this.#session.conn.reset();
  }

  onClosed(error: string | null): void {
    this.#session.ending(error === null ? 'upstream' : 'upstream_reset');
    this.#session.conn.closeLike(error);
  }
}

/** The cover for a connection that has said `opening`, not yet dialled; null where that would be a loop, which is cut. */
export function attachCover(
  session: StageSession,
  peer: Endpoint,
  opening: Buffer,
  events: CoverEvents,
): CoverRelay | null {
  const { plane, conn } = session;
  if (isLoop(plane.loops, opening, peer.host)) {
    plane.event('warn', 'cover_loop', {});
    session.report('loop');
    session.ending('refused');
    conn.reset();
    return null;
  }
  const { localAddress, localPort } = conn.socket;
  const local = { host: plainAddress(localAddress ?? ''), port: localPort ?? 0 };
  const client = { conn, peer, local, fault: (error: unknown) => session.onFault(error) };
  return new CoverRelay(plane, client, opening, events);
}
