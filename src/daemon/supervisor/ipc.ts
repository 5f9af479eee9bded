/** What the supervisor and the process of the built-in engine say to each other. Plain data over `serialization: 'advanced'`. */
import type { Allowances, Endpoint, EngineEvent, EngineRevision, EngineStats, EngineUsage } from './engine.ts';

export type EngineRequest =
  | { type: 'start'; seq: number; revision: EngineRevision }
  | { type: 'apply'; seq: number; revision: EngineRevision }
  | { type: 'stats'; seq: number }
  | { type: 'usage'; seq: number }
  | { type: 'allow'; seq: number; allowances: Allowances }
  | { type: 'drain'; seq: number; timeoutMs: number }
  | { type: 'stop'; seq: number };

/** The answer to each kind of request. */
export interface EngineReplies {
  start: { pid: number; listening: Endpoint };
  /** The revision id that every worker has confirmed. */
  apply: string;
  stats: EngineStats;
  usage: EngineUsage;
  allow: null;
  drain: { cut: number };
  stop: null;
}

export type EngineReply = { [Type in keyof EngineReplies]: EngineReplies[Type] }[keyof EngineReplies];

/** `code` is a system code such as EADDRINUSE or EACCES where the operating system refused, else a name of the engine's. */
export interface EngineFailure {
  type: 'failure';
  seq: number;
  code: string;
  message: string;
  hint?: string;
}

export type EngineMessage =
  { type: 'reply'; seq: number; value: EngineReply } | EngineFailure | { type: 'event'; event: EngineEvent };
