import type { EngineSettings, EngineStats } from '../supervisor/engine.ts';
import { inOrder } from './dc-order.ts';
import { slotName, type SlotMap } from './dc-slots.ts';
import { isHealthy } from './shared/breaker.ts';
import type { BreakerTable } from './shared/breakers.ts';
import type { WarmCounts } from './shared/warm-counts.ts';

interface Tables {
  slots: SlotMap;
  breakers: BreakerTable;
  warm: WarmCounts;
}

/** The addresses that are used, by DC and preference, with what the tables say of them at `now` (monotonic ms). */
export function describeDcs(telegram: EngineSettings['telegram'], tables: Tables, now: number): EngineStats['dcs'] {
  const { slots, breakers, warm } = tables;
  return Object.entries(telegram.dcs).flatMap(([dc, endpoints]) =>
    inOrder(endpoints, telegram.prefer).flatMap((endpoint) => {
      const slot = slots.get(slotName(endpoint));
      if (slot === undefined) return [];
      const row = breakers.read(slot);
      const { state, failures, opens, lastError } = row;
      const retryMs = isHealthy(row) ? null : Math.max(0, Math.round(row.until - now));
      return [{ dc: Number(dc), ...endpoint, state, failures, opens, lastError, retryMs, warm: warm.total(slot) }];
    }),
  );
}
