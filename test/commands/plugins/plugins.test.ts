import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/lib/errors.ts';
import type { HookMessages } from '../../../src/lib/hooks/messages.ts';
import { pluginDirectory } from '../../../src/lib/plugins/place.ts';
import { ROOT } from '../../repository/tree.ts';
import { runProgram } from '../../support/run-program.ts';

let dir: string;
let plugins: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-plugins-'));
  plugins = path.join(dir, 'plugins');
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const mtp = async (...args: string[]) =>
  runProgram([process.execPath, path.join(ROOT, 'bin/run.js'), ...args], {
    cwd: dir,
    env: { ...process.env, MTP_PLUGIN_DIR: plugins, MTP_HOME: path.join(dir, 'home') },
  });

/** The sample as a tarball, after a change to its files. */
async function pack(change: (files: string) => Promise<void> = async () => undefined): Promise<string> {
  const files = path.join(dir, 'package');
  await rm(files, { recursive: true, force: true });
  await cp(path.join(ROOT, 'test/support/sample-plugin'), files, { recursive: true });
  await change(files);
  execFileSync('tar', ['-czf', 'sample.tgz', 'package'], { cwd: dir });
  return path.join(dir, 'sample.tgz');
}

const edit = (file: string, from: string, to: string) => async (files: string) => {
  const text = await readFile(path.join(files, file), 'utf8');
  await writeFile(path.join(files, file), text.replaceAll(from, to));
};

/** What stands in the directory of plugins. */
const kept = async (): Promise<string[]> => readdir(plugins).catch(() => []);

describe('a plugin from a tarball', { timeout: 60_000 }, () => {
  test('adds a command that behaves like one of ours, until it is removed', async () => {
    const file = await pack();
    expect(await mtp('hello', 'bob')).toMatchObject({ status: EXIT.usage });
    expect((await mtp('plugins')).stdout).toContain('No plugins');
    expect((await mtp('plugins', 'install', file, '--dry-run')).stdout).toMatch(
      /^Dry run: mtp-plugin-hello 1\.0\.0, with "mtp hello"/,
    );
    expect(await mtp('plugins', 'install', file)).toMatchObject({ status: EXIT.usage });
    expect(await kept()).toEqual([]);

    const installed = await mtp('plugins', 'install', file, '--yes');
    expect(installed, installed.stderr).toMatchObject({ status: 0 });
    expect(await mtp('hello', 'bob')).toEqual({ status: 0, stdout: 'Hello bob.\n', stderr: '' });
    expect(JSON.parse((await mtp('hello', 'bob', '--json')).stdout)).toEqual({
      hello: 'bob',
      state: path.join(dir, 'home'),
    });
    const failed = await mtp('hello', 'nobody', '--json');
    expect([failed.status, JSON.parse(failed.stdout)]).toMatchObject([
      EXIT.precondition,
      { error: { code: 'NOBODY' } },
    ]);
    expect((await mtp('--help')).stdout).toMatch(/hello +Say hello to somebody/);
    expect((await mtp('plugins')).stdout).toMatch(/^mtp-plugin-hello +1\.0\.0 +hello$/m);
    expect(await mtp('--version')).toMatchObject({ status: 0, stderr: '' });

    const next = await pack(edit('package.json', '1.0.0', '1.1.0'));
    expect(await mtp('plugins', 'install', next, '--yes')).toMatchObject({ status: 0 });
    expect((await mtp('plugins')).stdout).toContain('1.1.0');
    expect((await kept()).toSorted()).toEqual(['node_modules', 'package.json']);
    expect(await mtp('plugins', 'remove', 'mtp-plugin-hello', '--yes')).toMatchObject({ status: 0 });
    expect(await mtp('plugins', 'remove', 'mtp-plugin-hello', '--yes')).toMatchObject({ status: EXIT.usage });
    expect(await mtp('hello', 'bob')).toMatchObject({ status: EXIT.usage });
  });

  test.each<[string, (files: string) => Promise<void>, RegExp]>([
    [
      'has no manifest',
      async (files) => rm(path.join(files, 'oclif.manifest.json')),
      /it has no oclif\.manifest\.json/,
    ],
    [
      'has a command of ours',
      edit('oclif.manifest.json', '"hello"', '"status"'),
      /"mtp status" is a command of mtp already/,
    ],
    ['has a link', async (files) => symlink('/etc/passwd', path.join(files, 'x')), /neither a file nor a directory/],
    ['leads out by its name', edit('package.json', 'mtp-plugin-hello', '../x'), /name is no name of a package/],
    [
      'needs what it does not bring',
      edit('package.json', '"type"', '"dependencies": { "left-pad": "1.0.0" }, "type"'),
      /it needs left-pad and does not bring it along/,
    ],
  ])('that %s is refused, and leaves nothing', async (_, change, message) => {
    const { status, stderr } = await mtp('plugins', 'install', await pack(change), '--yes');
    expect([status, stderr.replaceAll(/\s+/g, ' ')]).toEqual([EXIT.precondition, expect.stringMatching(message)]);
    expect(await kept()).toEqual([]);
  });

  test('that does not load is taken back, and the one before goes on', async () => {
    await mtp('plugins', 'install', await pack(), '--yes');
    const { status, stderr } = await mtp(
      'plugins',
      'install',
      await pack(edit('commands/hello.js', 'mtp/plugin', 'mtp/none')),
      '--yes',
    );
    expect([status, stderr]).toEqual([EXIT.failed, expect.stringContaining('does not load')]);
    expect((await mtp('hello', 'bob')).stdout).toBe('Hello bob.\n');
    expect((await kept()).toSorted()).toEqual(['node_modules', 'package.json']);
  });

  test('is not run from where others may write', async () => {
    await mtp('plugins', 'install', await pack(), '--yes');
    execFileSync('chmod', ['go+w', plugins]);
    const { status, stderr } = await mtp('hello', 'bob');
    expect([status, stderr]).toEqual([EXIT.precondition, expect.stringContaining('could be written by somebody else')]);
  });
});

test('plugins are never where the service may write', async () => {
  const facts = { env: {}, userHome: '/home/me' };
  expect(pluginDirectory({ ...facts, uid: 0 })).toBe('/usr/local/lib/mtp/plugins');
  expect(pluginDirectory({ ...facts, uid: 1000 })).toBe('/home/me/.local/share/mtp/plugins');
  expect(pluginDirectory({ ...facts, uid: 1000, env: { MTP_PLUGIN_DIR: 'relative' } })).toBe(
    '/home/me/.local/share/mtp/plugins',
  );
});

test('messages of hooks have types that stand alone', async () => {
  const text = await readFile(path.join(ROOT, 'src/lib/hooks/messages.ts'), 'utf8');
  expect(text).not.toMatch(/^import/m);
  const names: (keyof HookMessages)[] = ['on-rotate'];
  for (const name of names) expect(await readFile(path.join(ROOT, 'docs/plugins.md'), 'utf8')).toContain(name);
  expect((await stat(path.join(ROOT, 'docs/plugins.md'))).size).toBeGreaterThan(0);
});
