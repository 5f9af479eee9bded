import { ACTIVE_NAMES, runActive } from './active.ts';
import type { Bench } from './figure.ts';
import { runFlood } from './flood.ts';
import { runMemory } from './memory.ts';
import { runOpenings } from './openings.ts';
import { PRESSURE_NAMES, runPressure } from './pressure.ts';
import { RATIO_GROUPS, runRatios } from './ratios.ts';
import { runReload } from './reload.ts';
import { runStartup } from './startup.ts';
import { runWorkers } from './workers.ts';

/** Names of all figures, in the order in which they are made. */
export const FIGURE_NAMES: readonly string[] = [
  ...RATIO_GROUPS.flatMap(({ figures }) => figures.map(({ name }) => name)),
  'setups_per_core_second',
  'refused_per_core_second',
  'two_workers',
  'flood_live_share',
  'startup_ms',
  'reload_10000_ms',
  'reload_pause_ms',
  'base_mb',
  'idle_kb_per_connection',
  ...PRESSURE_NAMES,
  ...ACTIVE_NAMES,
];

/** Make every figure that was asked for. */
export async function runSuite(bench: Bench): Promise<void> {
  await runRatios(bench);
  await runOpenings(bench);
  await runWorkers(bench);
  await runFlood(bench);
  await runStartup(bench);
  await runReload(bench);
  await runMemory(bench);
  await runPressure(bench);
  await runActive(bench);
}
