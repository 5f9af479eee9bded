import type { HandshakeResult } from '../../supervisor/engine.ts';
import { sealedAlert } from './inner-header.ts';
import type { Stage, StageSession } from './stage.ts';

/** Closing: nothing that comes now changes anything. */
const LEAVING: Stage = {
  inUse: false,
  clientData: () => undefined,
  clientEnded: () => undefined,
  clientDrained: () => undefined,
  clientClosed: () => undefined,
  deadline: () => undefined,
};

/** Too late for the cover: leave as a TLS server that could not decrypt a record does, or without a word on a bare connection. */
export function refuse(session: StageSession, reason: HandshakeResult, insideTls: boolean): void {
  session.enter(LEAVING);
  session.clearDeadline();
  session.report(reason);
  session.ending('refused');
  if (insideTls) session.conn.write(sealedAlert());
  session.conn.closeLike(null);
}
