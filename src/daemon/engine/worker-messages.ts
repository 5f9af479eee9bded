import type {
  AcceleratorState,
  Endpoint,
  EngineEvent,
  EngineSettings,
  GuardRules,
  HandshakeResult,
  Offence,
} from '../supervisor/engine.ts';
import type { PackedUsers } from './packed-users.ts';
import type { SharedTables } from './shared/tables.ts';
import type { SlotMap } from './dc-slots.ts';

/** What the engine process and its worker threads say to each other. */

export interface WorkerRevision {
  id: string;
  settings: EngineSettings;
  /** Row of each address of a DC in the shared tables. */
  dcSlots: SlotMap;
  users: PackedUsers;
}

export interface WorkerData {
  worker: number;
  /** How many there are. */
  workers: number;
  revision: WorkerRevision;
  /** Port that an earlier worker got; the configured one otherwise. */
  port: number;
  /** Inherited sockets to listen on; null to bind one. */
  fds: number[] | null;
  seed: [number, number];
  memory: SharedTables['memory'];
  rules: GuardRules;
}

export type WorkerRequest =
  | { type: 'apply'; revision: WorkerRevision }
  /** The state of users has changed: close the connections that may not go on. */
  | { type: 'review' }
  | { type: 'guard'; rules: GuardRules }
  /** Listen on these, and no more on those before. */
  | { type: 'open'; fds: number[] | null }
  /** A connection from there is the daemon's own. */
  | { type: 'claim'; from: Endpoint }
  /** That one is over. */
  | { type: 'disclaim'; from: Endpoint }
  /** Accept no more, and write every opening to the journal at once. */
  | { type: 'pause' }
  /** Accept no more, and close what is not in use unless `gentle`. */
  | { type: 'drain'; gentle: boolean }
  /** Close everything and end. */
  | { type: 'stop' };

export type WorkerMessage =
  | { type: 'listening'; port: number; accelerator: AcceleratorState }
  | { type: 'paused' }
  | { type: 'failed'; code: string; message: string }
  | { type: 'applied'; id: string }
  | { type: 'claimed'; from: Endpoint }
  /** How the opening of one of the daemon's own ended. */
  | { type: 'fate'; from: Endpoint; result: HandshakeResult }
  | { type: 'guarded' }
  | { type: 'event'; event: EngineEvent }
  | { type: 'offence'; offence: Offence };
