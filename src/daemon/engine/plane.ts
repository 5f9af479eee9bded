import type { BlockList } from 'node:net';
import type { Endpoint, EngineEvent, EngineSettings } from '../supervisor/engine.ts';
import type { Conn } from './conn.ts';
import type { CoverTargetResolver } from './cover-target.ts';
import type { DcBreakers } from './dc-breakers.ts';
import type { Guard } from './guard.ts';
import type { Lanes } from './lanes.ts';
import type { ReplayJournal } from './replay-journal.ts';
import type { CounterRow } from './shared/counters.ts';
import type { GaugeRow } from './shared/gauges.ts';
import type { KeyPoints } from './shared/key-points.ts';
import type { OwnConnections } from './own-connections.ts';
import type { LoopFilter } from './shared/loop-filter.ts';
import type { ReplayTable } from './shared/replay.ts';
import type { SourceTable } from './shared/sources.ts';
import type { UserRows } from './shared/user-rows.ts';
import type { Searches } from './searches.ts';
import type { UserSet } from './user-set.ts';
import type { Wheel } from './wheel.ts';

/** Connections to DCs that are opened ahead. */
export interface WarmConnections {
  /** A connection that is still good, or null; a replacement is opened in the background. */
  take(plane: Plane, endpoints: readonly Endpoint[]): Conn | null;
  /** Close what is too old or wanted no more, and open what is missing. */
  sweep(plane: Plane): void;
  /** Close everything: the settings change. */
  clear(): void;
  /** Close everything for good. */
  close(): void;
}

/** What the sessions of one worker share. Settings and users are replaced as a whole when a revision is applied. */
export interface Plane {
  settings: EngineSettings;
  users: UserSet;
  /** Peers that must send a PROXY protocol header; null when nobody does. */
  trusted: BlockList | null;
  cover: CoverTargetResolver;
  readonly wheel: Wheel;
  readonly searches: Searches;
  readonly points: KeyPoints;
  readonly counters: CounterRow;
  readonly gauges: GaugeRow;
  readonly sources: SourceTable;
  /** Handshakes of the daemon's. */
  readonly own: OwnConnections;
  /** Whose networks may not. */
  readonly guard: Guard;
  /** What users may do and have done. */
  readonly rows: UserRows;
  readonly replay: ReplayTable;
  readonly journal: ReplayJournal;
  readonly loops: LoopFilter;
  /** Key of the source hash. */
  readonly seed: readonly [number, number];
  /** Which addresses of DCs work. */
  readonly breakers: DcBreakers;
  readonly warm: WarmConnections;
  /** Null where relays have none. */
  readonly lanes: Lanes | null;
  readonly event: (level: EngineEvent['level'], event: string, detail: EngineEvent['detail']) => void;
}
