import type { EngineStats, EngineUsage, UsageRow as EngineRow } from './supervisor/engine.ts';

/** What a user or a secret did, all engines together. */
type UsageRow = Omit<EngineRow, 'era'>;

/** What can be asked for figures: the engine that serves, and those that it has relieved and that drain. */
interface Engines {
  usage: () => Promise<EngineUsage>;
  stats: () => Promise<EngineStats>;
  retired: readonly { engine: { usage: () => Promise<EngineUsage>; stats: () => Promise<EngineStats> } }[];
}

/** What users and secrets did, all engines together; one that does not answer is left out. */
export async function usageOfAll(engines: Engines): Promise<UsageRow[]> {
  const answers = await Promise.all(all(engines).map(async (engine) => engine.usage().catch(() => null)));
  return sumUsage(answers.flatMap((answer) => answer?.rows ?? []));
}

/** Connections with Telegram behind them, and those cut because of their users; null where the engine that serves is silent. */
export async function connectionsOfAll(engines: Engines): Promise<{ relayed: number; cut: number } | null> {
  const answers = await Promise.all(all(engines).map(async (engine) => engine.stats().catch(() => null)));
  const [serving] = answers;
  if (serving === null || serving === undefined) return null;
  const relayed = answers.reduce((sum, stats) => sum + (stats?.connections.relayed ?? 0), 0);
  return { relayed, cut: serving.closes.user };
}

function all(engines: Engines): Pick<Engines, 'usage' | 'stats'>[] {
  return [engines, ...engines.retired.map(({ engine }) => engine)];
}

/** Rows of several engines as one each. */
function sumUsage(rows: UsageRow[]): UsageRow[] {
  return [...Map.groupBy(rows, ({ id }) => id).values()].map((same) =>
    same.reduce((sum, row) => ({
      id: row.id,
      up: sum.up + row.up,
      down: sum.down + row.down,
      connections: sum.connections + row.connections,
      networks: sum.networks + row.networks,
      lastSeen: Math.max(sum.lastSeen, row.lastSeen),
      stale: sum.stale + row.stale,
      staleAt: Math.max(sum.staleAt, row.staleAt),
    })),
  );
}
