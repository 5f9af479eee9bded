import type { CloseReason, HandshakeResult } from '../../supervisor/engine.ts';
import type { Conn } from '../conn.ts';
import type { Plane } from '../plane.ts';
import type { Stay } from '../stay.ts';
import type { FoundUser } from '../user-set.ts';

/** A part of a connection's life, and how it takes what happens on the client's side. */
export interface Stage {
  /** Whether ending the worker now would cut somebody off. */
  readonly inUse: boolean;
  /** The client sent `buffer[0:length)`: valid until this returns, and may be changed. */
  clientData(buffer: Buffer, length: number): void;
  /** The client will send no more. */
  clientEnded(): void;
  /** The client has taken all that was queued for it. */
  clientDrained(): void;
  /** The deadline that was set last has come. */
  deadline(): void;
  /** What its user may do has changed. */
  userChanged?(): void;
  /** The client's socket is gone; `error` is what ended it. */
  clientClosed(error: string | null): void;
}

/** One client connection, as its stages see it. */
export interface StageSession {
  readonly plane: Plane;
  readonly conn: Conn;
  /** Go over to another stage. */
  enter(stage: Stage): void;
  /** See whether it is one of the daemon's own; to be called once it says something. */
  recognise(): void;
  /** It is one of the daemon's own, which are in no figures. */
  readonly own: boolean;
  /** Count the connection as one of this user's; returns the reason if it may not be. */
  admit(user: FoundUser): HandshakeResult | null;
  /** What it takes of its user's allowances, once it was admitted. */
  readonly stay: Stay | null;
  /** Count how the opening ended; only the first word counts. */
  report(result: HandshakeResult): void;
  /** Have `deadline` called in `ms`, in place of what was set before. */
  setDeadline(ms: number): void;
  clearDeadline(): void;
  /** Note why the connection is about to end; the first reason stays. */
  ending(reason: CloseReason): void;
  /** Close it now. */
  close(reason: CloseReason): void;
  /** Do what may fail; a failure costs this connection, and not the worker's others. */
  guard(action: () => void): void;
  /** Something threw: give up this connection, and not the worker's others. */
  onFault(error: unknown): void;
}

/** After one side's FIN nothing moving for this long is the end. */
export const HALF_CLOSED_MS = 60_000;
/** How often an open connection is looked at for having gone quiet. */
export const QUIET_CHECK_MS = 30_000;

/** An IPv4 address that came over a dual-stack socket, as IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

export function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
