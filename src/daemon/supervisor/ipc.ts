/** What the supervisor and the process of the built-in engine say to each other. Plain data over `serialization: 'advanced'`. */
import type {
  Allowances,
  Endpoint,
  EngineEvent,
  EngineRevision,
  EngineStats,
  EngineUsage,
  GuardRules,
  HandshakeResult,
  Holdings,
  Offence,
  Outlook,
} from './engine.ts';

/** A daemon and an engine of different packages work together where this is the same. */
export const IPC_VERSION = 3;

export type EngineRequest =
  /** With `beside` another engine still writes to the same journal of replays; with `prepare` clients are not let in yet. */
  | { type: 'start'; seq: number; ipc: number; revision: EngineRevision; beside: boolean; prepare: boolean }
  /** Listen on the sockets that the supervisor lends now, in place of those before. */
  | { type: 'open'; seq: number }
  /** Accept no more, but be ready to go on. */
  | { type: 'pause'; seq: number }
  | { type: 'apply'; seq: number; revision: EngineRevision }
  | { type: 'stats'; seq: number }
  /** `recorded` is the serial of a report that is in the ledger; null where none is since. */
  | { type: 'usage'; seq: number; recorded: number | null }
  /** A connection from there is the daemon's own: it is open, and says nothing before the answer. */
  | { type: 'claim'; seq: number; from: Endpoint }
  /** It is over: how did its opening end? */
  | { type: 'fate'; seq: number; from: Endpoint }
  | { type: 'allow'; seq: number; allowances: Allowances }
  | { type: 'holdings'; seq: number }
  /** Other engines hold this of what limits leave. */
  | { type: 'share'; seq: number; elsewhere: readonly Holdings[] }
  | { type: 'guard'; seq: number; rules: GuardRules }
  | { type: 'outlooks'; seq: number; addresses: string[] }
  /** With `gentle` connections that have not proved themselves yet may still do so. */
  | { type: 'drain'; seq: number; timeoutMs: number; gentle: boolean }
  /** No other engine writes to the journal any more. */
  | { type: 'alone'; seq: number }
  | { type: 'stop'; seq: number };

/** The answer to each kind of request. */
export interface EngineReplies {
  start: { pid: number; listening: Endpoint; version: string };
  open: { pid: number; listening: Endpoint };
  pause: null;
  /** The revision id that every worker has confirmed. */
  apply: string;
  stats: EngineStats;
  usage: EngineUsage;
  claim: null;
  fate: HandshakeResult | null;
  allow: null;
  holdings: Holdings;
  share: null;
  guard: null;
  outlooks: Outlook[];
  drain: { cut: number };
  alone: null;
  stop: null;
}

export type EngineReply = { [Type in keyof EngineReplies]: EngineReplies[Type] }[keyof EngineReplies];

/** Sockets of one worker, lent on demand: each comes with a `socket` message, and `sockets` ends the list. */
export type SocketMessage =
  | { type: 'socket'; want: number }
  | { type: 'sockets'; want: number }
  | { type: 'no-sockets'; want: number; code: string; message: string };

export interface SocketWant {
  type: 'want';
  want: number;
  worker: number;
  workers: number;
}

/** `code` is a system code such as EADDRINUSE or EACCES where the operating system refused, else a name of the engine's. */
export interface EngineFailure {
  type: 'failure';
  seq: number;
  code: string;
  message: string;
  hint?: string;
}

export type EngineMessage =
  | { type: 'reply'; seq: number; value: EngineReply }
  | EngineFailure
  | { type: 'event'; event: EngineEvent }
  | { type: 'offence'; offence: Offence }
  | SocketWant;
