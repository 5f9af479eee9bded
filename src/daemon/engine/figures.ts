import type { EngineStats } from '../supervisor/engine.ts';
import { COVER_STATES } from './shared/gauges.ts';
import type { SharedTables } from './shared/tables.ts';

type Figures = Pick<EngineStats, 'connections' | 'handshakes' | 'closes' | 'faults' | 'bytes' | 'cover' | 'replay'>;

/** What the workers have counted, all together; `cap` is how many connections there may be. */
export function readFigures(tables: SharedTables, cap: number): Figures {
  return {
    connections: {
      current: tables.gauges.get('sessions'),
      relayed: tables.gauges.get('relayed'),
      cover: tables.gauges.get('covers'),
      total: tables.counters.total('accepted'),
      cap: cap,
    },
    handshakes: tables.counters.results(),
    closes: tables.counters.closes(),
    faults: tables.counters.total('faults'),
    bytes: { up: tables.counters.total('up'), down: tables.counters.total('down') },
    cover: {
      lastDial: COVER_STATES[tables.gauges.get('coverState')] ?? null,
      dials: tables.counters.total('coverDials'),
      failures: tables.counters.total('coverFailures'),
      refusedAtCap: tables.counters.total('coverRefused'),
    },
    replay: { entries: tables.replay.entries, evicted: tables.replay.evicted },
  };
}
