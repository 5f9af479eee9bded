import { parentPort, workerData } from 'node:worker_threads';
import { play } from './run.ts';
import { roundOf, roundsOf } from './schedule.ts';
import type { Check, Target } from './target.ts';

/** One job: every round whose number is its own. What it is doing stands in memory that the main thread sees. */

export interface Job {
  /** Module that exports `TARGETS`. */
  module: string;
  only: string | null;
  seed: number;
  /** First case, where a single target is repeated. */
  from: number;
  cases: number;
  job: number;
  jobs: number;
  /** Number of the target and of the case under way, and how many cases are done. */
  state: SharedArrayBuffer;
}

const { module, only, seed, from, cases, job, jobs, state } = workerData as Job;
const cells = new Float64Array(state);
const { TARGETS } = (await import(module)) as { TARGETS: readonly Target[] };
const chosen = TARGETS.filter(({ name }) => only === null || name === only);
const checks = new Map<Target, { check: Check; close: () => Promise<void> }>();
for (const target of chosen) checks.set(target, await target.open());

async function work(): Promise<void> {
  for (let round = job; round < roundsOf(cases); round += jobs) {
    for (const stretch of roundOf(chosen, cases, round)) {
      const { target } = stretch;
      cells[0] = TARGETS.indexOf(target);
      const starting = (at: number): void => {
        cells[1] = at;
        cells[2] = (cells[2] as number) + 1;
      };
      const check = checks.get(target)?.check ?? (() => undefined);
      const failure = await play(target, check, { seed, from: from + stretch.from, cases: stretch.cases, starting });
      if (failure !== null) {
        parentPort?.postMessage({ failure });
        return;
      }
      parentPort?.postMessage({ done: { target: target.name, cases: stretch.cases } });
    }
  }
}

await work();
for (const { close } of checks.values()) await close();
parentPort?.postMessage({ over: true });
