#!/usr/bin/env node
// How long the commands that must feel instant take, beside Node doing nothing. Method: every command in turn, RUNS times over,
// so that a slow moment of the machine meets all of them; the median counts. Run it after `npm run build`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const RUNS = 15;
const mtp = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const home = mkdtempSync(path.join(os.tmpdir(), 'mtp-bench-'));
const env = { ...process.env, MTP_HOME: home };
const commands = { 'node -e 0': ['-e', '0'], 'mtp --version': [mtp, '--version'], 'mtp link': [mtp, 'link'] };
const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));

spawnSync(process.execPath, [mtp, 'secret', 'add', 'me'], { env });
for (let run = 0; run <= RUNS; run++) {
  for (const [name, args] of Object.entries(commands)) {
    const from = performance.now();
    spawnSync(process.execPath, args, { env });
    // The first run fills the compile cache.
    if (run > 0) times[name].push(performance.now() - from);
  }
}
rmSync(home, { recursive: true });

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const base = median(times['node -e 0']);
for (const [name, values] of Object.entries(times)) {
  const ratio = (median(values) / base).toFixed(2);
  const spread = `${Math.min(...values).toFixed(0)}-${Math.max(...values).toFixed(0)}`;
  console.log(`${name.padEnd(14)} ${median(values).toFixed(0).padStart(4)} ms  (${spread})  ${ratio}x`);
}
