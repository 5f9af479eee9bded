#!/usr/bin/env node
/**
 * Mixed traffic through the engine for a while, and what it leaves behind:
 *
 *     npm run soak -- [--minutes N] [--clients N] [--seed S] [--json]
 *
 * Ends with 1 when bytes are lost, the counters do not add up, or something grows; see docs/testing.md.
 */
import { parseArgs } from 'node:util';
import { growthOf } from './growth.ts';
import { type Sample, soak } from './soak.ts';

const SAMPLE_MS = 5000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    clients: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const [minutes, clients, seed] = [values.minutes, values.clients, values.seed].map(Number) as [number, number, number];
if (!(minutes > 0 && clients > 0) || !Number.isInteger(seed)) {
  process.stderr.write('--minutes, --clients and --seed are numbers\n');
  process.exit(64);
}

const fixed = (value: number): string => value.toFixed(1);

function progress(sample: Sample): void {
  const { seconds, sessions, heldByCover, fds, threads, rssMb, anonymousMb } = sample;
  process.stderr.write(
    `${Math.round(seconds)} s: ${sessions} sessions, ${heldByCover} at the cover, ${fds} fds, ${threads} threads, ` +
      `${fixed(rssMb)} MB, ${fixed(anonymousMb)} anonymous\n`,
  );
}

const soaked = await soak({ seconds: minutes * 60, clients, sampleMs: SAMPLE_MS, seed, onSample: progress });
const growth = growthOf(soaked.samples);
const faults = [
  ...new Set(soaked.faults),
  ...growth.filter(({ grows }) => grows).map(({ name, perHour }) => `${name} grows by ${fixed(perHour)} an hour`),
];
const { base, end, tally, stats } = soaked;

if (values.json) {
  process.stdout.write(`${JSON.stringify({ ok: faults.length === 0, faults, growth, base, end, tally, stats })}\n`);
} else {
  const row = (cells: string[]): string =>
    `${cells.map((cell, at) => (at === 0 ? cell.padEnd(12) : cell.padStart(12))).join('')}\n`;
  process.stdout.write(row(['', 'mean', 'an hour', '±', 'allowed']));
  for (const { name, mean, perHour, spread, allowed } of growth) {
    process.stdout.write(row([name, fixed(mean), fixed(perHour), fixed(spread), String(allowed)]));
  }
  process.stdout.write(`before ${JSON.stringify(base)}\nafter  ${JSON.stringify(end)}\n`);
  process.stdout.write(`clients ${JSON.stringify({ ...tally, faults: tally.faults.length })}\n`);
  process.stdout.write(`handshakes ${JSON.stringify(stats.handshakes)}\nbytes ${JSON.stringify(stats.bytes)}\n`);
  process.stdout.write(faults.length === 0 ? 'nothing grows and nothing is lost\n' : `FAILED\n${faults.join('\n')}\n`);
}
process.exit(faults.length === 0 ? 0 : 1);
