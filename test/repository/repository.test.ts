import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../src/lib/errors.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const sources = globSync('src/**/*.ts', { cwd: ROOT });

interface Manifest {
  commands: Record<string, { flags: Record<string, { char?: string; allowNo?: boolean }> }>;
}

let home: string;
beforeAll(() => {
  home = mkdtempSync(path.join(os.tmpdir(), 'mtp-repository-'));
});
afterAll(() => rmSync(home, { recursive: true }));

test('oclif.manifest.json is what the commands say now', () => {
  const copy = path.join(home, 'copy');
  for (const part of ['package.json', 'src', 'rolldown.config.js', 'bin', 'templates']) {
    cpSync(path.join(ROOT, part), path.join(copy, part), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: copy, stdio: 'ignore' });
  expect(JSON.parse(readFileSync(path.join(copy, 'oclif.manifest.json'), 'utf8'))).toEqual(
    JSON.parse(read('oclif.manifest.json')),
  );
});

describe('the documentation', () => {
  const manifest = JSON.parse(read('oclif.manifest.json')) as Manifest;
  const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: ROOT })];
  const written = pages.flatMap((page) => {
    const inBlocks = [...read(page).matchAll(/^```(?:sh|console)\n([^]*?)^```/gm)].flatMap(([, block = '']) =>
      block.split('\n').map((line) => line.replace(/^\$ /, '').replace(/^sudo /, '')),
    );
    const inline = [...read(page).matchAll(/`(mtp [^`\n]+)`/g)].map(([, code = '']) => code);
    return [...inBlocks, ...inline].filter((line) => line.startsWith('mtp ')).map((line) => ({ page, line }));
  });

  test('commands are documented at all', () => {
    expect(written.length).toBeGreaterThan(10);
  });

  test.each(written)('$page: $line', ({ line }) => {
    const words = line
      .replace(/\s+#.*$/, '')
      .split(/\s+/)
      .slice(1);
    const flags = words.filter((word) => word.startsWith('--')).map((word) => word.slice(2).split('=')[0] ?? '');
    const names = words.slice(0, words.findIndex((word) => !/^[a-z-]+$/.test(word) || word.startsWith('-')) >>> 0);
    if (names.length === 0) {
      expect(['--version', '--help']).toContain(words[0]);
      return;
    }
    const topicOrCommand = [names.slice(0, 2).join(':'), names[0] ?? ''];
    const id = topicOrCommand.find((candidate) => candidate in manifest.commands);
    const isTopic = Object.keys(manifest.commands).some((known) => known.startsWith(`${names[0]}:`));
    expect(id !== undefined || isTopic, `command of "${line}"`).toBe(true);
    const known = id === undefined ? {} : (manifest.commands[id]?.flags ?? {});
    for (const flag of flags) {
      const plain = flag.replace(/^no-/, '');
      expect(flag === 'help' || flag in known || known[plain]?.allowNo === true, `--${flag}`).toBe(true);
    }
  });

  test.each([
    [['--version'], /^mtp\/\d+\.\d+\.\d+ /],
    [['--help'], /COMMANDS/],
    [['secret', 'generate'], /^ee[0-9a-f]{32,}$/m],
    [['config', 'test'], /./],
    [['config', 'list'], /listen\.port/],
    [['preferences'], /qr/],
  ])('mtp %j runs without a proxy and writes nothing', (args, expected) => {
    const env = { ...process.env, MTP_HOME: path.join(home, 'none'), XDG_CONFIG_HOME: path.join(home, 'xdg') };
    const { status, stdout } = spawnSync(process.execPath, ['bin/run.js', ...args], {
      cwd: ROOT,
      env,
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(expected);
    expect(globSync('none', { cwd: home })).toEqual([]);
  });

  test('exit statuses are those of the code', () => {
    const rows = [...read('docs/exit-statuses.md').matchAll(/^\| (\d+) +\| `(\w+)`/gm)];
    expect(Object.fromEntries(rows.map(([, status, name]) => [name, Number(status)]))).toEqual(EXIT);
  });
});

describe('the house', () => {
  const IMPORT = /^(?:import|export)\b[^;']*\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;
  const imports = (file: string): string[] =>
    [...read(file).matchAll(IMPORT)].map(([, from, bare, dynamic = '']) => {
      const name = from ?? bare ?? dynamic;
      return name.startsWith('.') ? path.posix.join(path.posix.dirname(file), name) : name;
    });

  test('arrows point down', () => {
    const wrong = sources.flatMap((file) =>
      imports(file)
        .filter(
          (name) =>
            (file.startsWith('src/lib/') && /^src\/(commands|daemon)\//.test(name)) ||
            (file.startsWith('src/daemon/') && name.startsWith('src/commands/')) ||
            (file.startsWith('src/lib/protocol/') && !/^(node:crypto$|src\/lib\/protocol\/)/.test(name)) ||
            (file.startsWith('src/commands/') && file !== 'src/commands/run.ts' && name.startsWith('src/daemon/')),
        )
        .map((name) => `${file} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test('no module depends on itself', () => {
    const graph = new Map(sources.map((file) => [file, imports(file).filter((name) => name.startsWith('src/'))]));
    const done = new Set<string>();
    const visit = (file: string, trail: string[]): void => {
      expect(trail, [...trail, file].join(' > ')).not.toContain(file);
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
      done.add(file);
    };
    for (const file of sources) visit(file, []);
    expect(done.size).toBe(sources.length);
  });

  test('the lock file names no registry, and only one package may run an install script', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved"|https?:\/\/registry/);
    const { allowScripts } = JSON.parse(read('package.json')) as { allowScripts: Record<string, boolean> };
    expect(Object.keys(allowScripts).filter((name) => allowScripts[name])).toEqual(['node']);
  });

  test('versions are exact', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >;
    for (const version of Object.values({ ...dependencies, ...devDependencies }))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
