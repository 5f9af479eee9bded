#!/usr/bin/env node
// Runs the tests of the accelerator on a build with AddressSanitizer and UBSan. Where these are missing it says so and is content.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { headers } from '../../src/native/headers.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const work = mkdtempSync(path.join(os.tmpdir(), 'mtp-asan-'));

/** The path of a library of the compiler, or undefined when there is none. */
function library(name) {
  const { stdout } = spawnSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' });
  const file = stdout?.trim() ?? '';
  return path.isAbsolute(file) && existsSync(file) ? file : undefined;
}

function run() {
  const libraries = [library('libasan.so'), library('libubsan.so')];
  if (libraries.includes(undefined)) return skip('no g++ with its sanitizers');
  const prefix = headers();
  if (prefix === undefined) return skip('no headers beside this Node');
  const addon = path.join(work, 'accelerator.node');
  const flags = ['-g', '-O1', '-std=c++17', '-fno-omit-frame-pointer', '-fsanitize=address,undefined'];
  const { status } = spawnSync(
    'g++',
    [...flags, '-fno-sanitize-recover=undefined', '-shared', '-fPIC', '-DNAPI_VERSION=8']
      .concat(['-I', path.join(prefix, 'include/node'), '-o', addon])
      .concat(path.join(root, 'src/native/accelerator.cc')),
    { stdio: 'inherit' },
  );
  if (status !== 0) return 1;
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const tests = [
    'test/native/accelerator.test.ts',
    'test/lib/protocol/ctr.test.ts',
    'test/daemon/engine/relay.test.ts',
    'test/daemon/engine/lanes.test.ts',
  ];
  const result = spawnSync(process.execPath, [vitest, 'run', ...tests], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      MTP_ACCELERATOR: '',
      ACCELERATOR_UNDER_TEST: addon,
      LD_PRELOAD: libraries.join(' '),
      // Node itself leaves things to the end of the process.
      ASAN_OPTIONS: 'detect_leaks=0',
    },
  });
  return result.status ?? 1;
}

function skip(reason) {
  console.log(`skipped: ${reason}`);
  return 0;
}

try {
  process.exitCode = run();
} finally {
  rmSync(work, { recursive: true });
}
