import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadAccelerator } from '../../src/lib/system/accelerator.ts';
import { files, ROOT } from '../repository/tree.ts';

const SOURCES = ['accelerator.cc', 'binding.gyp', 'build.js', 'headers.js'];

let top: string;
let native: string;
beforeEach(() => {
  top = mkdtempSync(path.join(os.tmpdir(), 'mtp-native-'));
  native = path.join(top, 'native');
  mkdirSync(native);
  for (const file of SOURCES) cpSync(path.join(ROOT, 'src/native', file), path.join(native, file));
});
afterEach(() => rmSync(top, { recursive: true }));

function which(name: string): string | undefined {
  const { status, stdout } = spawnSync('which', [name], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** A directory with these programs and no other, to be a PATH. */
function only(...names: string[]): string {
  const directory = mkdtempSync(path.join(top, 'bin-'));
  for (const name of names) symlinkSync(which(name) ?? '/nonexistent', path.join(directory, name));
  return directory;
}

function build(env: NodeJS.ProcessEnv = {}): string {
  const npm = which('npm');
  const inherited = {
    ...process.env,
    MTP_ACCELERATOR: '',
    ...(npm === undefined ? {} : { npm_execpath: realpathSync(npm) }),
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(native, 'build.js')], {
    env: { ...inherited, ...env },
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^accelerator \(optional\): .*\n$/);
  return stdout.slice('accelerator (optional): '.length, -1);
}

describe('the build of the accelerator', () => {
  test('is left out without a compiler, and says so', () => {
    expect(build({ PATH: only('make', 'python3'), CXX: '' })).toBe('not built: no C++ compiler');
    expect(build({ PATH: only() })).toMatch(/^not built: .*no make/);
    expect(readdirSync(native).toSorted()).toEqual(SOURCES);
  });

  test('is left out when turned off', () => {
    expect(build({ MTP_ACCELERATOR: 'off' })).toBe('not built: MTP_ACCELERATOR=off');
    expect(readdirSync(native).toSorted()).toEqual(SOURCES);
  });

  describe.skipIf(['g++', 'make', 'python3'].some((name) => which(name) === undefined))('with a compiler', () => {
    test('is done once, and writes nothing else', { timeout: 120_000 }, () => {
      expect(build()).toBe('built');
      const result = [...SOURCES, 'accelerator.node', 'accelerator.stamp'].toSorted();
      expect(readdirSync(native).toSorted()).toEqual(result);
      expect(readdirSync(top)).toEqual(['native']);
      expect(build()).toBe('up to date');
      // A copy of its own, because a thread may load a file once only.
      const reasons: string[] = [];
      loadAccelerator((reason) => reasons.push(reason), path.join(native, 'accelerator.node'));
      expect(reasons).toEqual([]);
    });

    test('that fails says why, and leaves an earlier one alone', { timeout: 120_000 }, () => {
      writeFileSync(path.join(native, 'accelerator.node'), 'earlier');
      writeFileSync(path.join(native, 'accelerator.cc'), 'int main() { return nothing; }\n');
      expect(build()).toMatch(/^not built: error: .*nothing/);
      expect(readFileSync(path.join(native, 'accelerator.node'), 'utf8')).toBe('earlier');
      expect(readdirSync(native).toSorted()).toEqual([...SOURCES, 'accelerator.node'].toSorted());
    });
  });
});

test('the package has what the build needs, and npm runs it', () => {
  const { scripts, files: published } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
    files: string[];
  };
  expect(scripts['postinstall']).toBe('node src/native/build.js');
  expect(published).toEqual(expect.arrayContaining(SOURCES.map((file) => `src/native/${file}`)));
  // npm would build a binding.gyp at the top by itself, and fail where it cannot.
  expect(files('binding.gyp')).toEqual([]);
  expect(
    execFileSync('git', ['check-ignore', 'src/native/accelerator.node'], { cwd: ROOT, encoding: 'utf8' }),
  ).not.toBe('');
});
