#!/usr/bin/env node
// Builds the accelerator where it can be built. npm runs it after an install; it says in one line what came of it, never fails,
// and writes nothing outside of this directory.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { headers } from './headers.js';

const LIMIT_MS = 120_000;
const SOURCES = ['accelerator.cc', 'binding.gyp'];
const here = path.dirname(fileURLToPath(import.meta.url));
const built = path.join(here, 'accelerator.node');
const stamp = path.join(here, 'accelerator.stamp');

/** What a build depends on. Node-API and OpenSSL keep their binary interface within a major version. */
function fingerprint() {
  const hash = createHash('sha256').update(
    `${process.platform} ${process.arch} openssl ${process.versions.openssl.split('.')[0]}`,
  );
  for (const file of SOURCES) hash.update(fs.readFileSync(path.join(here, file)));
  return hash.digest('hex');
}

function isUpToDate(expected) {
  return fs.existsSync(built) && fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === expected;
}

/** Where a program is, as a shell would find it. */
function which(name) {
  return [...(process.env.PATH ?? '').split(path.delimiter)]
    .map((directory) => path.resolve(directory, name))
    .find((file) => {
      try {
        fs.accessSync(file, fs.constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The node-gyp that npm ships, or one that is installed. */
function nodeGyp() {
  const { npm_config_node_gyp: named, npm_execpath: npm } = process.env;
  if (named && fs.existsSync(named)) return named;
  const froms = [import.meta.url, npm, path.resolve(process.execPath, '../../lib/node_modules/npm/index.js')];
  for (const from of froms.filter(Boolean)) {
    try {
      return createRequire(from).resolve('node-gyp/bin/node-gyp.js');
    } catch {
      // Not there.
    }
  }
  return undefined;
}

/** Run node-gyp in `work`; resolves to null, or to the reason why there is no result. */
function compile(gyp, cxx, nodedir, work) {
  const args = ['rebuild', '--release', `--devdir=${path.join(work, 'headers')}`];
  if (nodedir !== undefined) args.push(`--nodedir=${nodedir}`);
  const env = { ...process.env, CXX: cxx, TMPDIR: work, PYTHONDONTWRITEBYTECODE: '1' };
  return new Promise((resolve) => {
    let log = '';
    // A group of its own, so that the compiler goes with it.
    const child = spawn(process.execPath, [gyp, ...args], { cwd: work, env, detached: true, stdio: 'pipe' });
    const end = () => process.kill(-child.pid, 'SIGKILL');
    const interrupt = () => {
      end();
      fs.rmSync(work, { recursive: true, force: true });
      process.exit(0);
    };
    const timer = setTimeout(() => {
      log += `\nError: not done after ${LIMIT_MS / 1000} s`;
      end();
    }, LIMIT_MS);
    const finish = (reason) => {
      clearTimeout(timer);
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
      resolve(reason);
    };
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    child.stdin.end();
    for (const output of [child.stdout, child.stderr]) output.on('data', (text) => (log += text));
    child.on('error', (error) => finish(error.message));
    child.on('close', (code) => finish(code === 0 ? null : reasonIn(log)));
  });
}

/** The line of a log that says most: the compiler's first error, else the last one of node-gyp. */
function reasonIn(log) {
  const compiler = /(?:fatal )?error: .*/.exec(log)?.[0];
  return compiler ?? [...log.matchAll(/Error: (.*)/g)].at(-1)?.[1] ?? 'node-gyp failed';
}

async function build() {
  if (process.env.MTP_ACCELERATOR === 'off') return 'not built: MTP_ACCELERATOR=off';
  const expected = fingerprint();
  if (isUpToDate(expected)) return 'up to date';
  const cxx = process.env.CXX || ['g++', 'c++', 'clang++'].find(which);
  const missing = [
    [cxx === undefined, 'C++ compiler'],
    [!which('make') && !which('gmake'), 'make'],
    [!which('python3') && !process.env.PYTHON, 'python3'],
    [nodeGyp() === undefined, 'node-gyp'],
  ].filter(([is]) => is);
  if (missing.length > 0) return `not built: no ${missing.map(([, what]) => what).join(', no ')}`;
  const work = fs.mkdtempSync(path.join(here, '.build-'));
  try {
    for (const file of SOURCES) fs.copyFileSync(path.join(here, file), path.join(work, file));
    const reason = await compile(nodeGyp(), cxx, headers(), work);
    if (reason !== null) return `not built: ${reason}`;
    fs.rmSync(stamp, { force: true });
    fs.renameSync(path.join(work, 'build/Release/accelerator.node'), built);
    fs.writeFileSync(stamp, expected);
    return 'built';
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

const result = await build().catch((error) => `not built: ${error.message}`);
console.log(`accelerator (optional): ${result}`);
