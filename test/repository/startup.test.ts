import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from './tree.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(path.join(os.tmpdir(), 'mtp-startup-'));
});
afterAll(() => rmSync(home, { recursive: true }));

/** Run the built command line after `before`, a piece of code that Node runs first. */
function mtp(args: string[], before: string, env: NodeJS.ProcessEnv = {}) {
  const preload = `data:text/javascript,${encodeURIComponent(before)}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', preload, 'bin/run.js', ...args], {
    cwd: ROOT,
    env: { ...process.env, MTP_HOME: home, ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** The files that a run loads, by their path from the top of the repository. */
function loaded(args: string[]): string[] {
  const { stderr } = mtp(
    args,
    `import { registerHooks } from 'node:module';
     const load = (url, context, next) => (process._rawDebug('loaded ' + url), next(url, context));
     registerHooks({ load });`,
    // What makes oclif look for sources to compile.
    { NODE_ENV: 'development' },
  );
  const urls = [...stderr.matchAll(/^loaded file:\/\/(.*)$/gm)].map(([, file = '']) => path.relative(ROOT, file));
  expect(urls).toContain('dist/lib/cli/main.js');
  return urls;
}

describe('what must feel instant loads little', () => {
  test.each([[['--version']], [['link']], [['status']]])('mtp %j loads no package, only the bundle', (args) => {
    expect(loaded(args).filter((file) => !/^(bin|dist)\//.test(file))).toEqual([]);
  });

  test('mtp --version loads no command', () => {
    expect(loaded(['--version']).filter((file) => file.startsWith('dist/commands/'))).toEqual([]);
  });

  test('mtp link loads no other command', () => {
    expect(loaded(['link']).filter((file) => file.startsWith('dist/commands/'))).toEqual(['dist/commands/link.js']);
  });
});

test.each(['12.22.0', '20.20.2', '22.12.0'])('Node %s is refused in one line', (version) => {
  const before = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`;
  expect(mtp(['--version'], before)).toEqual({
    status: 2,
    stdout: '',
    stderr: `mtp needs Node 22.13 or newer; this is Node ${version}\n`,
  });
});

test('compiled code is kept in the cache of the user, not where others can write', () => {
  const shared = path.join(home, 'tmp');
  const cache = path.join(home, 'cache');
  const before = `import { mkdirSync } from 'node:fs'; mkdirSync(process.env.TMPDIR); process.getuid = () => 1000;`;
  const env = { TMPDIR: shared, XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE: undefined };
  expect(mtp(['--version'], before, env).status).toBe(0);
  expect(readdirSync(shared)).toEqual([]);
  expect(readdirSync(cache)).toEqual(['mtp']);
});
