import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineUser } from '../src/daemon/supervisor/engine.ts';
import { siteUser, startEngine } from './engine.ts';
import type { Bench } from './figure.ts';
import { measure } from './generator.ts';
import type { Site } from './site.ts';
import { median, spread } from './statistics.ts';

/** What a revision with many users costs while a session sends a message every millisecond. */

const USERS = 10_000;
const PING = { connections: 1, rate: 1000, seconds: 2 };
/** Into the measured part: opening and warm-up are over. */
const APPLY_AFTER_MS = 1200;

export async function runReload(bench: Bench): Promise<void> {
  if (!bench.wants('reload_10000_ms') && !bench.wants('reload_pause_ms')) return;
  const engine = await startEngine(bench.entry, bench.site, { fast: true });
  const applied: number[] = [];
  const pauses: number[] = [];
  try {
    for (let run = 0; run < bench.pairs; run++) {
      const ping = measure(bench.generator, 'openloop', engine.target, PING);
      await sleep(APPLY_AFTER_MS);
      applied.push(await engine.apply(manyUsers(bench.site, USERS)));
      const { max_us, p50_us } = await ping;
      pauses.push((max_us - p50_us) / 1000);
    }
  } finally {
    await engine.stop();
  }
  const common = { unit: 'ms', better: 'lower', raw: { users: USERS } } as const;
  const figures = [
    { name: 'reload_10000_ms', title: 'a revision with 10,000 users', goal: 200, times: applied },
    { name: 'reload_pause_ms', title: 'longest wait of a live session meanwhile', goal: 20, times: pauses },
  ];
  for (const { times, ...figure } of figures.filter(({ name }) => bench.wants(name))) {
    bench.tell({ ...common, ...figure, value: median(times), spread: spread(times) });
  }
}

/** The site's user at the end of a long list of others with the same domain. */
export function manyUsers(site: Site, count: number): EngineUser[] {
  const others = Array.from({ length: count - 1 }, (_, at) =>
    siteUser({ key: randomBytes(16).toString('hex'), domain: site.domain }, `user-${at}`),
  );
  return [...others, siteUser(site)];
}
