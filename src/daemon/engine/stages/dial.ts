import { dcNumber } from '../../../lib/protocol/dc.ts';
import type { HandshakeResult } from '../../supervisor/engine.ts';
import type { Conn } from '../conn.ts';
import type { DcDial } from '../dc-dial.ts';
import { reachDc } from '../dc-reach.ts';
import { refuse } from './refused.ts';
import { type ClientStream, Relay } from './relay.ts';
import type { Stage, StageSession } from './stage.ts';

/** A client that is let in, waiting for its DC. */
export class DialStage implements Stage {
  readonly inUse = true;
  readonly #session: StageSession;
  readonly #stream: ClientStream;
  #dial: DcDial | null = null;

  constructor(session: StageSession, stream: ClientStream) {
    this.#session = session;
    this.#stream = stream;
    session.enter(this);
    session.clearDeadline();
    session.conn.pause();
  }

  start(): void {
    const { plane } = this.#session;
    const { dcs, fallbackDc } = plane.settings.telegram;
    const endpoints = dcs[dcNumber(this.#stream.header.dc)] ?? (fallbackDc === null ? undefined : dcs[fallbackDc]);
    if (endpoints === undefined) {
      this.#refuse('unknown_dc');
      return;
    }
    this.#dial = reachDc(plane, endpoints, (upstream) => this.#session.guard(() => this.#dialled(upstream)));
  }

  #dialled(upstream: Conn | null): void {
    if (upstream === null) this.#refuse('dc_unreachable');
    else if (this.#session.conn.closed) upstream.destroy();
    else new Relay(this.#session, upstream, this.#stream);
  }

  #refuse(reason: HandshakeResult): void {
    refuse(this.#session, reason, this.#stream.records !== null);
  }

  clientData(): void {
    // The client is paused; what a stream without a read buffer delivers all the same is lost with the connection.
    this.#session.close('fault');
  }

  clientEnded(): void {
    this.#session.close('client');
  }

  clientDrained(): void {
    // Nothing is sent in this stage.
  }

  deadline(): void {
    // The dial has its own.
  }

  clientClosed(): void {
    this.#dial?.cancel();
  }
}
