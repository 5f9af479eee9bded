import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { files, packageJson, read, ROOT } from './tree.ts';

test.each([
  ['LICENSE', /Apache License\s+Version 2\.0/],
  ['README.md', /npm ci && npm start[^]*npm ci && npm test/],
  ['CHANGELOG.md', /^## \[Unreleased\]/m],
  ['SECURITY.md', /^## Reporting a vulnerability/m],
  ['CONTRIBUTING.md', /^## Adding a command[^]*^## Adding an engine/m],
])('%s says what it is there for', (file, expected) => {
  expect(read(file)).toMatch(expected);
});

describe('dependencies', () => {
  test('versions are exact', () => {
    const { dependencies, devDependencies } = packageJson();
    for (const version of Object.values({ ...dependencies, ...devDependencies })) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });

  test('the lock file names no registry', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved"|https?:\/\/[^"]*registry/);
  });

  test('the lock file has every package that another one may want on some platform', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${place}/node_modules/${name}` in packages),
      ),
    );
    expect(missing, 'npm run lock').toEqual([]);
  });

  test('only one package may run an install script', () => {
    const { allowScripts } = packageJson();
    expect(Object.keys(allowScripts).filter((name) => allowScripts[name])).toEqual(['node']);
  });

  test('what the build leaves to be installed is a dependency, not one of development', () => {
    const built = files('dist/**/*.js').map(read).join('\n');
    const found = [
      ...built.matchAll(/^(?:import .* from |import )"((?:@[\w-]+\/)?\w[\w-]*)"|\bimport\("(\w[\w-]*)"\)/gm),
    ];
    const packages = found.map(([, eager, lazy = '']) => eager ?? lazy);
    expect(packages).toEqual(expect.arrayContaining(['fastify', 'pino', 'conf']));
    expect(Object.keys(packageJson().dependencies)).toEqual(expect.arrayContaining(packages));
  });
});

test('what is published is the build, what it needs, and nothing else', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json'], { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });
  const [packed] = Object.values(JSON.parse(output) as Record<string, { files: { path: string }[] }>);
  const paths = packed?.files.map((file) => file.path) ?? [];
  const needed = [
    'bin/run.js',
    'dist/lib/cli/main.js',
    'src/native/build.js',
    'src/lib/hooks/messages.ts',
    'oclif.manifest.json',
    'LICENSE',
    'README.md',
  ];
  expect(paths).toEqual(expect.arrayContaining(needed));
  expect(
    paths.filter((path) => /^(src\/(?!native\/|lib\/hooks\/messages\.ts$)|(test|bench|docs|\.ci)\/)/.test(path)),
  ).toEqual([]);
  expect(paths.filter((path) => /\.(node|stamp)$/.test(path))).toEqual([]);
});
