import { isIPv6 } from 'node:net';
import type { CloseReason, Endpoint, HandshakeResult } from '../supervisor/engine.ts';
import type { Conn, ConnOwner } from './conn.ts';
import type { Plane } from './plane.ts';
import { OpeningStage } from './stages/opening.ts';
import { PrefaceStage } from './stages/preface.ts';
import { plainAddress, type Stage, type StageSession, unixSeconds } from './stages/stage.ts';
import { Stay } from './stay.ts';
import { Ticket } from './ticket.ts';
import type { FoundUser } from './user-set.ts';
import type { Timed } from './wheel.ts';

/**
 * One client connection from accept to close: it counts what the connection takes, and hands what happens to the stage that
 * it is in. Stages follow each other as in protocol.md §4: opening, inner header, dial, relay, or the cover instead.
 */
export class Session implements ConnOwner, StageSession, Timed {
  due = -1;
  bucket = 0;
  readonly plane: Plane;
  readonly conn: Conn;
  readonly #forget: (session: Session) => void;
  stay: Stay | null = null;
  #ticket: Ticket | null = null;
  /** The client's address, once it is known. */
  #peer: string | null = null;
  #stage: Stage | null = null;
  #reported = false;
  /** Where one of the daemon's own connections comes from. */
  #own: Endpoint | null = null;
  #ending: CloseReason | null = null;

  /** `forget` is called when the connection is over. */
  constructor(plane: Plane, conn: Conn, forget: (session: Session) => void) {
    this.plane = plane;
    this.conn = conn;
    this.#forget = forget;
    conn.owner = this;
    plane.counters.add('accepted', 1);
    plane.gauges.add('sessions', 1);
  }

  /** Find out who it is and wait for the first bytes. */
  start(): void {
    const { remoteAddress, remotePort } = this.conn.socket;
    if (remoteAddress === undefined || remotePort === undefined) {
      this.close('client_reset');
      return;
    }
    this.conn.socket.setNoDelay(true);
    const peer = { host: plainAddress(remoteAddress), port: remotePort };
    const { trusted } = this.plane;
    if (trusted?.check(peer.host, isIPv6(peer.host) ? 'ipv6' : 'ipv4') === true) {
      this.#stage = new PrefaceStage(this, (said, rest) => this.#open(said ?? peer, rest));
    } else {
      this.#open(peer, null);
    }
  }

  /** The peer's address is known: count it and listen to what it says. */
  #open(peer: Endpoint, rest: Buffer | null): void {
    this.#peer = peer.host;
    const verdict = this.plane.guard.verdict(peer.host, unixSeconds());
    if (verdict === 'drop') {
      this.#shutOut();
      return;
    }
    const ticket = new Ticket(this.plane, peer.host, verdict);
    this.#ticket = ticket;
    if (verdict === 'limit' && ticket.refusal === 'rate') {
      this.#shutOut();
      return;
    }
    this.#stage = new OpeningStage(this, ticket, peer);
    if (rest !== null && rest.length > 0) this.#stage.clientData(rest, rest.length);
  }

  /** Close it unanswered, as a host does that is not there for this one. */
  #shutOut(): void {
    this.report('banned');
    this.ending('banned');
    this.conn.reset();
  }

  /** Whether ending the worker now would cut somebody off. */
  get inUse(): boolean {
    return this.#stage?.inUse === true;
  }

  enter(stage: Stage): void {
    this.#stage = stage;
  }

  get own(): boolean {
    return this.#own !== null;
  }

  recognise(): void {
    const { own, counters } = this.plane;
    if (own.none || this.own) return;
    const { remoteAddress = '', remotePort = 0 } = this.conn.socket;
    const from = { host: plainAddress(remoteAddress), port: remotePort };
    if (!own.take(from)) return;
    this.#own = from;
    counters.add('accepted', -1);
  }

  admit(user: FoundUser): HandshakeResult | null {
    const ticket = this.#ticket as Ticket;
    const stay = Stay.begin(this.plane.rows, user, ticket.source, this.own ? null : unixSeconds());
    if (typeof stay === 'string') return stay;
    this.stay = stay;
    if (!this.own) ticket.remember(user.secretRow);
    return null;
  }

  /** What its user may do has changed: close the connection if that is nothing any more. */
  review(): void {
    if (this.stay?.allowed === false) this.close('user');
    else if (this.#peer !== null && this.plane.guard.verdict(this.#peer, unixSeconds()) === 'drop') this.#shutOut();
    else this.#stage?.userChanged?.();
  }

  report(result: HandshakeResult): void {
    if (this.#reported) return;
    this.#reported = true;
    if (this.#own !== null) {
      this.plane.own.settle(this.#own, result);
      return;
    }
    this.plane.counters.result(result);
    const ticket = this.#ticket;
    if (ticket !== null) this.plane.guard.learn(this.#peer as string, ticket.source, result, unixSeconds());
  }

  setDeadline(ms: number): void {
    this.plane.wheel.schedule(this, ms);
  }

  clearDeadline(): void {
    this.plane.wheel.cancel(this);
  }

  ending(reason: CloseReason): void {
    this.#ending ??= reason;
  }

  close(reason: CloseReason): void {
    this.ending(reason);
    this.conn.destroy();
  }

  onData(_conn: Conn, buffer: Buffer, length: number): void {
    this.#stage?.clientData(buffer, length);
  }

  onEnd(): void {
    this.guard(() => this.#stage?.clientEnded());
  }

  onDrain(): void {
    this.guard(() => this.#stage?.clientDrained());
  }

  guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.onFault(error);
    }
  }

  onFault(error: unknown): void {
    this.plane.counters.add('faults', 1);
    this.plane.event('error', 'session_fault', { message: error instanceof Error ? error.message : String(error) });
    this.close('fault');
  }

  expire(): void {
    this.guard(() => this.#stage?.deadline());
  }

  onClose(_conn: Conn, error: string | null): void {
    const { gauges, counters } = this.plane;
    this.guard(() => this.#stage?.clientClosed(error));
    this.clearDeadline();
    this.report('aborted');
    if (!this.own) counters.close(this.#ending ?? (error === null ? 'client' : 'client_reset'));
    gauges.add('sessions', -1);
    this.stay?.end();
    this.#ticket?.release();
    this.#forget(this);
  }
}
