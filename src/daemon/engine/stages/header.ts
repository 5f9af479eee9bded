import { transportAllowed } from '../admission.ts';
import { DialStage } from './dial.ts';
import { InnerHeaderReader } from './inner-header.ts';
import { refuse } from './refused.ts';
import type { Stage, StageSession } from './stage.ts';

/** An authenticated fake-TLS client that has yet to send its obfuscated2 header (protocol.md §2.6). */
export class HeaderStage implements Stage {
  readonly inUse = true;
  readonly #session: StageSession;
  readonly #reader: InnerHeaderReader;

  constructor(session: StageSession, key: Buffer) {
    this.#session = session;
    this.#reader = new InnerHeaderReader(key);
    session.enter(this);
    session.setDeadline(session.plane.settings.limits.handshakeMs);
  }

  clientData(buffer: Buffer, length: number): void {
    const data = buffer.subarray(0, length);
    const read = this.#reader.push(data);
    if (read === 'incomplete') return;
    if (read === 'invalid' || !transportAllowed(this.#session.plane.settings, true, read.header.transport)) {
      refuse(this.#session, 'bad_tag', true);
      return;
    }
    new DialStage(this.#session, { ...read, records: this.#reader.records }).start();
  }

  clientEnded(): void {
    this.#session.close('client');
  }

  deadline(): void {
    this.#session.report('timeout');
    this.#session.close('refused');
  }

  clientDrained(): void {
    // The server's flight is all that was sent, and nothing waits for it.
  }

  clientClosed(): void {
    // Nothing else is held.
  }
}
