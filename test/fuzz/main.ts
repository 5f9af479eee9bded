#!/usr/bin/env node
/**
 * Fuzz everything that takes bytes from outside:
 *
 *     npm run fuzz -- [--cases N] [--seed S] [--only TARGET [--from CASE]] [--jobs N] [--targets FILE]
 *
 * Ends with 1 at the first failure, and says how to repeat it; see docs/testing.md.
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Failure } from './run.ts';
import type { Target } from './target.ts';
import type { Job } from './worker.ts';

const PROGRESS_MS = 5000;
/** A case that does not end is a failure; this thread can still say which one it is. */
const STUCK_MS = 30_000;
/** No input is longer than 20 KB, so whatever needs more than this keeps what it should not. */
const MEMORY_BYTES = 1_500_000_000;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    only: { type: 'string' },
    from: { type: 'string', default: '0' },
    jobs: { type: 'string', default: '1' },
    targets: { type: 'string' },
  },
});
const [cases, seed, from, jobs] = [values.cases, values.seed, values.from, values.jobs].map(Number) as [
  number,
  number,
  number,
  number,
];
const module =
  values.targets === undefined ? new URL('targets/index.ts', import.meta.url).href : pathToFileURL(values.targets).href;
const { TARGETS } = (await import(module)) as { TARGETS: readonly Target[] };
const only = values.only ?? null;
if (
  !(cases > 0 && jobs > 0) ||
  !Number.isInteger(seed) ||
  (only !== null && !TARGETS.some(({ name }) => name === only))
) {
  process.stderr.write(
    `--cases, --seed and --jobs are numbers; targets: ${TARGETS.map(({ name }) => name).join(' ')}\n`,
  );
  process.exit(64);
}

const started = performance.now();
const counts = new Map<string, number>();
const states: Float64Array[] = [];

function line(): string {
  const done = states.reduce((sum, state) => sum + (state[2] ?? 0), 0);
  const seconds = (performance.now() - started) / 1000;
  const rate = Math.round(done / seconds);
  return `${done} of ${cases} cases, ${rate} a second, ${Math.round(seconds)} s, ${Math.round(process.memoryUsage.rss() / 1e6)} MB`;
}

function fail({ target, at, message, input }: Omit<Failure, 'seed'>): never {
  process.stdout.write(
    [
      `FAILED ${target}: ${message}`,
      `smallest input, ${input.length} bytes: ${input.toString('hex')}`,
      `repeat it: npm run fuzz -- --seed ${seed} --only ${target} --from ${at} --cases 1`,
      '',
    ].join('\n'),
  );
  process.exit(1);
}

function watch(): void {
  const last = states.map(() => ({ done: -1, since: performance.now() }));
  setInterval(() => {
    process.stdout.write(`${line()}\n`);
    for (const [job, state] of states.entries()) {
      const seen = last[job];
      if (seen === undefined) continue;
      const target = TARGETS[state[0] ?? 0]?.name ?? '';
      if (seen.done !== state[2]) last[job] = { done: state[2] ?? 0, since: performance.now() };
      else if (performance.now() - seen.since > STUCK_MS) {
        fail({ target, at: state[1] ?? 0, message: 'it does not end', input: Buffer.alloc(0) });
      }
      if (process.memoryUsage.rss() > MEMORY_BYTES) {
        fail({ target, at: state[1] ?? 0, message: 'it holds too much memory', input: Buffer.alloc(0) });
      }
    }
  }, PROGRESS_MS).unref();
}

type Message = { failure: Failure } | { done: { target: string; cases: number } } | { over: true };

async function run(job: number): Promise<void> {
  const state = new SharedArrayBuffer(3 * 8);
  states.push(new Float64Array(state));
  const worker = new Worker(new URL('worker.ts', import.meta.url), {
    workerData: { module, only, seed, from, cases, job, jobs, state } satisfies Job,
  });
  await new Promise<void>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => reject(new Error(`job ${job} ended early`)));
    worker.on('message', (message: Message) => {
      if ('failure' in message) fail({ ...message.failure, input: Buffer.from(message.failure.input) });
      if ('over' in message) resolve();
      if ('done' in message) {
        counts.set(message.done.target, (counts.get(message.done.target) ?? 0) + message.done.cases);
      }
    });
  });
}

process.stdout.write(`seed ${seed}\n`);
const running = Promise.all(Array.from({ length: jobs }, async (_, job) => run(job)));
watch();
await running;
for (const [name, count] of counts) process.stdout.write(`${name.padEnd(16)} ${String(count).padStart(10)}\n`);
process.stdout.write(`no failure: ${line()}\n`);
