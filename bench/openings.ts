import { startRelay } from './baseline.ts';
import { compareBy, type Job, runPairs } from './compare.ts';
import { startEngine } from './engine.ts';
import type { Bench, Figure } from './figure.ts';
import { measure } from './generator.ts';
import { median } from './statistics.ts';

/** How many sessions a CPU second sets up, and how many strangers it hands to the cover. */

const AT_ONCE = 32;
/** Key points are made ahead by an idle engine; a queue of 8,192 takes it five seconds. */
export const KEYS_MS = 6000;
/** An opening is hundreds of functions, and most are compiled only after some ten thousand of them. */
const WARM_UPS = 5;
const SETUP: Job = { load: 'setup', options: { connections: AT_ONCE }, restMs: KEYS_MS, warmUps: WARM_UPS };
const REFUSED: Job = { load: 'refused', options: { connections: AT_ONCE, size: 512 } };

export async function runOpenings(bench: Bench): Promise<void> {
  if (!bench.wants('setups_per_core_second') && !bench.wants('refused_per_core_second')) return;
  const theirs = await startRelay(bench.programs.relay, bench.site);
  const ours = await startEngine(bench.entry, bench.site, { fast: true });
  try {
    const run = async (job: Job, name: string, title: string, goal: number): Promise<Figure> => {
      const { kept, rejected } = await runPairs(bench.generator, job, ours.target, theirs.target, bench.pairs);
      const { ours: value, oursSpread: spread, theirs: c } = compareBy('ops', kept);
      const raw = { mtp: value, c, mtp_errors: median(kept.map((pair) => pair.ours.errors)) };
      return { name, title, value, spread, unit: '/s', goal, better: 'higher', rejected, raw };
    };
    if (bench.wants('setups_per_core_second')) {
      const figure = await run(SETUP, 'setups_per_core_second', 'sessions set up per CPU second', 4500);
      bench.tell({ ...figure, raw: { ...figure.raw, c_given_key: await givenKey(bench) } });
    }
    if (bench.wants('refused_per_core_second')) {
      bench.tell(await run(REFUSED, 'refused_per_core_second', 'refused hellos to the cover per CPU second', 4000));
    }
  } finally {
    await ours.stop();
    await theirs.stop();
  }
}

/** The relay in C with one x25519 key for all: the difference is what the curve costs. */
async function givenKey({ programs, site, generator }: Bench): Promise<number> {
  const relay = await startRelay(programs.relay, site, { givenKey: true });
  const run = await measure(generator, SETUP.load, relay.target, SETUP.options);
  await relay.stop();
  return run.ops / run.proxy_cpu_seconds;
}
