import type { EngineSettings } from '../../supervisor/engine.ts';
import { BreakerTable } from './breakers.ts';
import { ConductTable } from './conduct.ts';
import { Counters } from './counters.ts';
import { Gauges } from './gauges.ts';
import { KeyPoints } from './key-points.ts';
import { LoopFilter } from './loop-filter.ts';
import { ReplayTable } from './replay.ts';
import { SourceTable } from './sources.ts';
import { UserTable } from './user-table.ts';
import { WarmCounts } from './warm-counts.ts';

/** Handshakes that find a key ready when all clients come at once: 256 KiB. */
const KEY_POINTS = 8192;

/** All that the workers of an engine share, as the pool makes it. */
export class SharedTables {
  readonly counters: Counters;
  readonly gauges: Gauges;
  readonly sources: SourceTable;
  readonly users: UserTable;
  readonly replay: ReplayTable;
  readonly loops: LoopFilter;
  readonly warm: WarmCounts;
  readonly points = KeyPoints.create(KEY_POINTS);
  readonly breakers = BreakerTable.create();
  readonly conduct = ConductTable.create();

  constructor({ workers, limits }: EngineSettings, ramBytes: number) {
    this.counters = Counters.create(workers);
    this.gauges = Gauges.create(workers);
    this.sources = SourceTable.create(limits.connections, workers);
    this.users = UserTable.create(limits.connections, workers);
    this.replay = ReplayTable.create(replayEntries(ramBytes));
    this.loops = LoopFilter.create(workers);
    this.warm = WarmCounts.create(workers);
  }

  /** What a worker attaches to. */
  get memory(): Record<
    'counters' | 'gauges' | 'sources' | 'replay' | 'loops' | 'points' | 'breakers' | 'warm' | 'conduct',
    SharedArrayBuffer
  > & { users: UserTable['memory'] } {
    return {
      counters: this.counters.memory,
      gauges: this.gauges.memory,
      sources: this.sources.memory,
      users: this.users.memory,
      replay: this.replay.memory,
      loops: this.loops.memory,
      points: this.points.memory,
      breakers: this.breakers.memory,
      warm: this.warm.memory,
      conduct: this.conduct.memory,
    };
  }

  /** Take back what a worker that has ended still held; returns how many connections it had. */
  release(worker: number): number {
    this.sources.releaseWorker(worker);
    this.users.release(worker);
    this.replay.releaseWorker(worker);
    this.breakers.releaseWorker(worker);
    this.conduct.releaseWorker(worker);
    this.loops.release(worker);
    this.gauges.release(worker);
    return this.counters.row(worker).abandon();
  }
}

/** Openings remembered at once: 16 bytes each, so 2 MiB on the smallest hosts and 16 MiB on large ones. */
function replayEntries(ramBytes: number): number {
  const gib = ramBytes / 2 ** 30;
  return gib < 1 ? 2 ** 17 : gib < 4 ? 2 ** 18 : 2 ** 20;
}
