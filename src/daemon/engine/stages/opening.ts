import type { Endpoint, HandshakeResult } from '../../supervisor/engine.ts';
import { admitHello, answerHello, enterReplay, transportAllowed } from '../admission.ts';
import type { CoverEvents, CoverRelay } from '../cover-relay.ts';
import { type Opened, Opener } from '../opener.ts';
import type { Ticket } from '../ticket.ts';
import { TICK_MS } from '../wheel.ts';
import { attachCover, CoverStage } from './cover.ts';
import { DialStage } from './dial.ts';
import { HeaderStage } from './header.ts';
import { type Stage, type StageSession, unixSeconds } from './stage.ts';

/** A client that has said nothing conclusive for this long is shown to the cover, whose own time-outs then apply. */
const ATTACH_MS = 250;

/** The first bytes, until it is clear whose they are. The cover listens in once the client stalls (protocol.md §4). */
export class OpeningStage implements Stage, CoverEvents {
  readonly #session: StageSession;
  readonly #ticket: Ticket;
  readonly #peer: Endpoint;
  readonly #opener: Opener;
  /** Wheel tick at which patience ends. */
  readonly #deadline: number;
  #cover: CoverRelay | null = null;
  /** Bytes that the cover has been given. */
  #shown = 0;

  constructor(session: StageSession, ticket: Ticket, peer: Endpoint) {
    const { wheel, settings } = session.plane;
    const { handshakeMs } = settings.limits;
    this.#session = session;
    this.#ticket = ticket;
    this.#peer = peer;
    this.#opener = new Opener(
      session.plane,
      () => ticket.lastSecret,
      (opened) => session.guard(() => this.#opened(opened)),
    );
    this.#deadline = wheel.now + wheel.ticks(handshakeMs);
    session.setDeadline(Math.min(ATTACH_MS, handshakeMs));
  }

  get inUse(): boolean {
    return this.#opener.held.length > 0;
  }

  clientData(buffer: Buffer, length: number): void {
    const data = buffer.subarray(0, length);
    this.#session.recognise();
    if (this.#ticket.refusal !== null) {
      this.#opener.hold(data);
      this.#toCover(this.#ticket.refusal);
      return;
    }
    this.#opener.push(data);
    // What did not settle the matter goes to the cover too, if it is listening in.
    if (!this.#opener.closed && !this.#opener.searching) this.#show();
  }

  #opened(opened: Opened): void {
    if (opened.kind === 'refused') this.#toCover(opened.reason);
    else if (opened.kind === 'hello') this.#admit(opened);
    else this.#admitBare(opened);
  }

  #admit(opened: Extract<Opened, { kind: 'hello' }>): void {
    const session = this.#session;
    const admitted = admitHello(session.plane, opened, unixSeconds());
    if (typeof admitted === 'string') {
      this.#toCover(admitted);
      return;
    }
    const { user } = opened;
    const refused = session.admit(user);
    if (refused !== null) {
      this.#toCover(refused);
      return;
    }
    this.#authenticated();
    const header = new HeaderStage(session, user.key);
    session.conn.write(answerHello(session.plane, opened, admitted.cipher));
    const rest = this.#opener.held.subarray(opened.consumed);
    if (rest.length > 0) header.clientData(Buffer.from(rest), rest.length);
  }

  #admitBare({ header, user, digest, consumed }: Extract<Opened, { kind: 'header' }>): void {
    const { plane } = this.#session;
    const refused = !transportAllowed(plane.settings, false, header.transport)
      ? 'bad_tag'
      : !enterReplay(plane, digest, unixSeconds())
        ? 'replay'
        : this.#session.admit(user);
    if (refused !== null) this.#toCover(refused);
    else {
      this.#authenticated();
      const rest = Buffer.from(this.#opener.held.subarray(consumed));
      new DialStage(this.#session, { header, records: null, rest }).start();
    }
  }

  #authenticated(): void {
    this.#cover?.clientClosed(null);
    this.#cover = null;
    // A cover that was being dialled may have had the client wait.
    this.#session.conn.resume();
  }

  /** Give the connection up to the cover, with every byte so far. */
  #toCover(reason: HandshakeResult): CoverStage {
    this.#opener.close();
    this.#show();
    const stage = new CoverStage(this.#session, this.#peer, this.#opener.held, this.#cover);
    this.#session.report(reason);
    return stage;
  }

  /** Send the cover what it has not seen. */
  #show(): void {
    const { held } = this.#opener;
    if (this.#cover === null || this.#shown === held.length) return;
    const unseen = held.subarray(this.#shown);
    this.#shown = held.length;
    this.#cover.send(unseen);
  }

  /** Nothing conclusive yet: let the cover listen in, and at the end of patience have the connection. */
  deadline(): void {
    const session = this.#session;
    const left = this.#deadline - session.plane.wheel.now;
    if (left <= 0) {
      this.#toCover(this.#opener.held.length === 0 ? 'silent' : 'timeout');
      return;
    }
    session.setDeadline(left * TICK_MS);
    if (this.#cover !== null) return;
    // A client that has said all must not lose its connection to a cover that answers first.
    if (this.#opener.searching) return;
    const { held } = this.#opener;
    this.#shown = held.length;
    this.#cover = attachCover(session, this.#peer, held, this);
    this.#cover?.start();
  }

  onSpoken(): void {
    this.#toCover(this.#opener.held.length === 0 ? 'silent' : 'timeout');
  }

  /** Without a cover, a client that may still turn out to be one of ours waits on. */
  onUnavailable(why: string): void {
    this.#cover = null;
    this.#session.plane.event('warn', 'cover_unavailable', { why });
    this.#session.conn.resume();
  }

  onClosed(error: string | null): void {
    this.#session.ending(error === null ? 'upstream' : 'upstream_reset');
    this.#session.conn.closeLike(error);
  }

  clientEnded(): void {
    const session = this.#session;
    if (this.#opener.held.length === 0 && this.#cover === null) {
      session.report('silent');
      session.conn.end();
      return;
    }
    // Over without a proof: how a server answers that is the cover's to say.
    this.#toCover('aborted').clientEnded();
  }

  clientDrained(): void {
    this.#cover?.clientDrained();
  }

  clientClosed(error: string | null): void {
    this.#opener.close();
    this.#cover?.clientClosed(error);
  }
}
