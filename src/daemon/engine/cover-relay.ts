import { writeProxyHeader } from '../../lib/protocol/proxy-protocol.ts';
import type { Endpoint } from '../supervisor/engine.ts';
import type { Conn, ConnOwner } from './conn.ts';
import { dial } from './dial.ts';
import type { ResolvedCover } from './cover-target.ts';
import type { Plane } from './plane.ts';
import { COVER_STATES } from './shared/gauges.ts';
import { LoopFilter } from './shared/loop-filter.ts';
import { TICK_MS, type Timed } from './wheel.ts';

export interface CoverClient {
  conn: Conn;
  peer: Endpoint;
  local: Endpoint;
  /** Gives the whole connection up. */
  fault: (error: unknown) => void;
}

export interface CoverEvents {
  /** The cover has spoken: from here on the connection is its. */
  onSpoken(): void;
  /** The cover cannot be had; nothing of it was seen. */
  onUnavailable(reason: 'failed' | 'loop' | 'full'): void;
  /** The cover's side is over, by FIN of both or by an error. */
  onClosed(error: string | null): void;
}

/**
 * The other half of a connection that is not ours to answer: it goes to the cover site byte for byte, with half-closes and
 * resets (protocol.md §4).
 */
export class CoverRelay implements ConnOwner, Timed {
  due = -1;
  bucket = 0;
  /** Who hears of it now. */
  events: CoverEvents;
  readonly #plane: Plane;
  readonly #client: CoverClient;
  /** What the client has sent so far; null once it is on its way. */
  #opening: Buffer | null;
  #conn: Conn | null = null;
  #connected = false;
  #clientEnded = false;
  /** What it takes of the gauges. */
  #holds: 'covers' | 'coverQueue' | null = null;
  /** Wheel tick at which waiting for a place ends. */
  #patience = 0;
  #loopCell: number | null = null;
  #over = false;

  constructor(plane: Plane, client: CoverClient, opening: Buffer, events: CoverEvents) {
    this.#plane = plane;
    this.#client = client;
    this.events = events;
    this.#opening = opening;
  }

  start(): void {
    const { wheel, settings } = this.#plane;
    this.#patience = wheel.now + wheel.ticks(settings.cover.connectMs);
    this.#enter();
  }

  /** Take a place. Where all are taken the client waits for one, as at a busy site; only so many can. */
  #enter(): void {
    const { gauges, settings, counters, cover, wheel } = this.#plane;
    const { coverConnections } = settings.limits;
    if (gauges.take('covers', coverConnections)) {
      this.#leave();
      this.#holds = 'covers';
      cover.resolve((resolved) => this.#dial(resolved));
      return;
    }
    if (this.#holds === null && gauges.take('coverQueue', coverConnections)) this.#holds = 'coverQueue';
    if (this.#holds === null || wheel.now >= this.#patience) {
      counters.add('coverRefused', 1);
      this.#giveUp('full');
    } else {
      wheel.schedule(this, TICK_MS);
    }
  }

  #leave(): void {
    if (this.#holds !== null) this.#plane.gauges.add(this.#holds, -1);
    this.#holds = null;
  }

  #dial(resolved: ResolvedCover): void {
    if (this.#over) return;
    const { settings, counters, wheel } = this.#plane;
    counters.add('coverDials', 1);
    if (resolved === 'loop' || resolved === 'unresolved') {
      this.#giveUp(resolved === 'loop' ? 'loop' : 'failed');
      return;
    }
    const conn = dial(this, { ...resolved, noDelay: true });
    this.#conn = conn;
    wheel.schedule(this, settings.cover.connectMs);
    conn.socket.once('connect', () => {
      // Given up meanwhile: the client was let in, or has gone.
      if (this.#over) return;
      wheel.cancel(this);
      this.#connected = true;
      this.#plane.gauges.set('coverState', COVER_STATES.indexOf('ok'));
      conn.relay();
      this.#sendOpening(conn);
    });
  }

  #sendOpening(conn: Conn): void {
    const opening = this.#opening ?? Buffer.alloc(0);
    this.#opening = null;
    const { proxyProtocol } = this.#plane.settings.cover;
    if (proxyProtocol !== 'off') conn.write(writeProxyHeader(proxyProtocol, this.#client.peer, this.#client.local));
    this.#remember(opening);
    if (opening.length > 0) conn.write(opening);
    if (this.#clientEnded) conn.end();
    // While the dial was under way the client may have been stopped.
    if (conn.queued === 0) this.#client.conn.resume();
  }

  /** Mark an opening as being out at the cover, so that it is known if it comes back. */
  #remember(opening: Buffer): void {
    this.#loopCell = LoopFilter.cellOf(opening);
    if (this.#loopCell !== null) this.#plane.loops.enter(this.#loopCell);
  }

  /** More bytes of the client, which stay the caller's. */
  send(data: Buffer): void {
    if (this.#opening !== null) {
      this.#opening = Buffer.concat([this.#opening, data]);
      this.#client.conn.pause();
      return;
    }
    if (this.#conn?.write(data) === false) this.#client.conn.pause();
  }

  /** The client has sent FIN. */
  clientEnded(): void {
    this.#clientEnded = true;
    if (this.#connected) this.#conn?.end();
  }

  /** The client has taken what was queued for it. */
  clientDrained(): void {
    this.#conn?.resume();
  }

  /** The client is gone; `error` is what ended it. */
  clientClosed(error: string | null): void {
    if (this.#over) return;
    const conn = this.#conn;
    this.#finish();
    if (conn === null) return;
    conn.closeLike(error);
  }

  onData(conn: Conn, buffer: Buffer, length: number): void {
    if (this.#over) return;
    this.events.onSpoken();
    if (!this.#client.conn.write(buffer, length)) conn.pause();
  }

  onEnd(): void {
    if (this.#over) return;
    this.events.onSpoken();
    this.#client.conn.end();
  }

  onDrain(): void {
    if (!this.#over) this.#client.conn.resume();
  }

  onClose(_conn: Conn, error: string | null): void {
    if (this.#over) return;
    if (!this.#connected) {
      this.#giveUp('failed');
      return;
    }
    this.#finish();
    this.events.onClosed(error);
  }

  onFault(error: unknown): void {
    this.#client.fault(error);
  }

  /** Time to look for a place again, or the cover did not take the connection in time. */
  expire(): void {
    if (this.#holds === 'coverQueue') this.#enter();
    else this.#conn?.destroy('ETIMEDOUT');
  }

  #giveUp(reason: 'failed' | 'loop' | 'full'): void {
    this.#finish();
    if (reason !== 'full') {
      this.#plane.counters.add('coverFailures', 1);
      this.#plane.gauges.set('coverState', COVER_STATES.indexOf(reason));
    }
    this.events.onUnavailable(reason);
  }

  #finish(): void {
    this.#over = true;
    this.#plane.wheel.cancel(this);
    this.#leave();
    if (this.#loopCell !== null) this.#plane.loops.leave(this.#loopCell);
    this.#loopCell = null;
  }
}
