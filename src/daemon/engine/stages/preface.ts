import { readProxyHeader } from '../../../lib/protocol/proxy-protocol.ts';
import type { Endpoint } from '../../supervisor/engine.ts';
import type { Stage, StageSession } from './stage.ts';

/** A trusted peer's PROXY header, which must come before anything else. */
export class PrefaceStage implements Stage {
  readonly inUse = true;
  readonly #session: StageSession;
  readonly #done: (peer: Endpoint | null, rest: Buffer) => void;
  #bytes: Buffer = Buffer.alloc(0);

  /** `done` gets the client's address as announced, null where the header names none, and what came after the header. */
  constructor(session: StageSession, done: (peer: Endpoint | null, rest: Buffer) => void) {
    this.#session = session;
    this.#done = done;
    session.setDeadline(session.plane.settings.limits.handshakeMs);
  }

  clientData(buffer: Buffer, length: number): void {
    const data = buffer.subarray(0, length);
    this.#bytes = Buffer.concat([this.#bytes, data]);
    const header = readProxyHeader(this.#bytes);
    if (header.state === 'incomplete') return;
    if (header.state === 'invalid') {
      this.#session.report('garbage');
      this.#session.plane.event('warn', 'proxy_header_missing', {});
      this.#session.close('refused');
      return;
    }
    this.#done(header.peer, Buffer.from(this.#bytes.subarray(header.consumed)));
  }

  clientEnded(): void {
    this.#session.close('client');
  }

  deadline(): void {
    this.#session.report('timeout');
    this.#session.close('refused');
  }

  clientDrained(): void {
    // Nothing is sent in this stage.
  }

  clientClosed(): void {
    // Nothing else is held.
  }
}
