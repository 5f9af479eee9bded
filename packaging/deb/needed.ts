import { existsSync, globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';

interface Manifest {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  oclif?: { plugins?: string[] };
}

/** Directories of packages below `root` that the build asks for when it runs, with what those need in turn, in order. */
export function needed(root: string): string[] {
  const own = manifestOf(root);
  const found = new Set<string>();
  for (const name of [...importedByBuild(root), ...(own.oclif?.plugins ?? [])]) visit(root, root, name, found);
  return [...found].sort();
}

/** A package, where Node would find it from a directory, and all that it depends on. */
function visit(root: string, from: string, name: string, found: Set<string>): void {
  const place = resolve(root, from, name);
  if (place === undefined || found.has(path.relative(root, place))) return;
  found.add(path.relative(root, place));
  const { dependencies = {}, optionalDependencies = {} } = manifestOf(place);
  for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) visit(root, place, next, found);
}

function resolve(root: string, from: string, name: string): string | undefined {
  for (let at = from; ; at = path.dirname(at)) {
    const place = path.join(at, 'node_modules', name);
    if (existsSync(path.join(place, 'package.json'))) return place;
    if (at === root) return undefined;
  }
}

/** Names of packages that the build imports. */
function importedByBuild(root: string): string[] {
  const { dependencies = {} } = manifestOf(root);
  const built = globSync('dist/**/*.js', { cwd: root })
    .map((file) => readFileSync(path.join(root, file), 'utf8'))
    .join('\n');
  const names = [...built.matchAll(/(?:\bfrom|^import|\bimport\()\s*["']((?:@[\w-]+\/)?\w[\w.-]*)/gm)].map(
    ([, name = '']) => name,
  );
  return [...new Set(names)].filter((name) => name in dependencies && !builtinModules.includes(name));
}

function manifestOf(directory: string): Manifest {
  return JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8')) as Manifest;
}
