import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { files, read } from './tree.ts';

const IMPORT = /^(?:import|export)\b[^;']*\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;

/** What a source file imports, lazily or not: files by their path from the top, packages by their name. */
function imports(file: string): string[] {
  return [...read(file).matchAll(IMPORT)].map(([, from, bare, lazy = '']) => {
    const name = from ?? bare ?? lazy;
    return name.startsWith('.') ? path.posix.join(path.posix.dirname(file), name) : name;
  });
}

const graph = new Map(files('src/**/*.ts').map((file) => [file, imports(file)]));

/** The imports of the files under `folder` that `allowed` does not allow, as sentences. */
function wrong(folder: string, allowed: (name: string) => boolean, except?: string): string[] {
  return [...graph]
    .filter(([file]) => file.startsWith(folder) && file !== except)
    .flatMap(([file, names]) => names.filter((name) => !allowed(name)).map((name) => `${file} imports ${name}`));
}

const inside = (name: string, ...folders: string[]): boolean => folders.some((folder) => name.startsWith(folder));

describe('arrows point down', () => {
  test('lib knows neither commands nor daemon', () => {
    expect(wrong('src/lib/', (name) => !inside(name, 'src/commands/', 'src/daemon/'))).toEqual([]);
  });

  test('the protocol needs nothing but itself and node:crypto', () => {
    const allowed = (name: string): boolean => name === 'node:crypto' || inside(name, 'src/lib/protocol/');
    expect(wrong('src/lib/protocol/', allowed)).toEqual([]);
  });

  test('the daemon knows no commands', () => {
    expect(wrong('src/daemon/', (name) => !inside(name, 'src/commands/'))).toEqual([]);
  });

  test('of the commands only run wires a daemon, and none needs another', () => {
    expect(wrong('src/commands/', (name) => !inside(name, 'src/daemon/'), 'src/commands/run.ts')).toEqual([]);
    expect(wrong('src/commands/', (name) => !inside(name, 'src/commands/'))).toEqual([]);
  });
});

test('the imports that these rules look at are found', () => {
  const names = [...graph.values()].flat();
  expect(graph.get('src/commands/run.ts')).toEqual(expect.arrayContaining(['@oclif/core', 'src/daemon/main.ts']));
  expect(names).toContain('node:crypto');
  expect([...graph.keys()]).toEqual(expect.arrayContaining(names.filter((name) => /^src\/.*(?<!\.d)\.ts$/.test(name))));
});

test('no module depends on itself', () => {
  const done = new Set<string>();
  const visit = (file: string, trail: string[]): void => {
    expect(trail, [...trail, file].join(' > ')).not.toContain(file);
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) if (next.startsWith('src/')) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  expect(done.size).toBe(graph.size);
});
