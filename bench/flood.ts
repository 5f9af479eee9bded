import { startEngine } from './engine.ts';
import type { Bench } from './figure.ts';
import { measure } from './generator.ts';
import { median, spread } from './statistics.ts';

/** What live sessions keep of their throughput while strangers knock, with the cap on cover connections in force. */

const LIVE = { connections: 100, rate: 1e6, seconds: 1.5 };
/** Strangers at a steady rate, begun before the live sessions are measured and ended after. */
const FLOOD = { connections: 512, rate: 2000, size: 512, 'warm-up': 0, seconds: 3 };
const COVER_CONNECTIONS = 64;

export async function runFlood(bench: Bench): Promise<void> {
  if (!bench.wants('flood_live_share')) return;
  const { site, generator } = bench;
  const engine = await startEngine(bench.entry, site, { fast: true, coverConnections: COVER_CONNECTIONS });
  const shares: number[] = [];
  const served: number[] = [];
  const cut: number[] = [];
  try {
    for (let pair = 0; pair < bench.pairs; pair++) {
      const calm = await measure(generator, 'paced', engine.target, LIVE);
      const flood = measure(generator, 'refused', { ...engine.target, dc: site.dc2 }, FLOOD);
      const live = await measure(generator, 'paced', engine.target, LIVE);
      shares.push(live.bytes / live.seconds / (calm.bytes / calm.seconds));
      const { ops, errors, seconds } = await flood;
      served.push(ops / seconds);
      cut.push(errors / seconds);
    }
  } finally {
    await engine.stop();
  }
  bench.tell({
    name: 'flood_live_share',
    title: 'throughput kept under 2,000 refused hellos/s',
    value: median(shares),
    spread: spread(shares),
    unit: 'share',
    goal: 0.9,
    better: 'higher',
    raw: {
      served_per_second: median(served),
      cut_per_second: median(cut),
      cover_connections_cap: COVER_CONNECTIONS,
    },
  });
}
