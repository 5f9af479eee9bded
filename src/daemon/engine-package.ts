import { chmod, cp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { EXIT, MtpError } from '../lib/errors.ts';
import { ensureDirectory, writeAtomic } from '../lib/system/files.ts';
import { packageUrl } from '../lib/system/module-url.ts';

/** Packages that an engine can be started from. */

/** What of a package an engine needs: its code, and whether that is a module. */
const PARTS = ['dist', 'package.json', 'src/native'];
const ENTRIES = ['dist/daemon/engine/main.js', 'src/daemon/engine/main.ts'];
const KEPT = 3;

export const ownPackage = (): string => path.resolve(fileURLToPath(packageUrl('.')));

const copiesIn = (state: string): string => path.join(state, 'engines');
const previousFile = (state: string): string => path.join(state, 'engines', 'previous');

/** Entry of the engine in a package directory. A directory with a build is taken for a build. */
export async function engineEntry(dir: string): Promise<URL> {
  for (const entry of ENTRIES) {
    const file = path.join(dir, entry);
    if ((await stat(file).catch(() => undefined))?.isFile() === true) return pathToFileURL(file);
  }
  throw new MtpError('NO_ENGINE', `there is no engine of mtp in ${dir}`, {
    exit: EXIT.precondition,
    hint: 'Name the directory of an installed package: the one that has dist/daemon/engine/main.js.',
  });
}

/**
 * Keep a copy of the build that runs now, so that there is something to go back to when an upgrade has put another in its
 * place. Returns the directory of the copy; undefined where the package runs from its sources and is not copied.
 */
export async function keepPackage(state: string, dir = ownPackage()): Promise<string | undefined> {
  const main = await readFile(path.join(dir, 'dist/daemon/engine/main.js')).catch(() => undefined);
  if (main === undefined || import.meta.url.endsWith('.ts')) return undefined;
  const id = createHash('sha256')
    .update(main)
    .update(await readFile(path.join(dir, 'package.json')))
    .digest('hex');
  const copies = copiesIn(state);
  const copy = path.join(copies, id.slice(0, 16));
  if ((await stat(path.join(copy, 'complete')).catch(() => undefined)) === undefined) {
    await ensureDirectory(copies);
    // An engine that runs as another user has to read its code.
    await chmod(copies, 0o711);
    await rm(copy, { recursive: true, force: true });
    for (const part of PARTS) {
      await cp(path.join(dir, part), path.join(copy, part), { recursive: true, force: true }).catch(ignoreMissing);
    }
    await writeAtomic(path.join(copy, 'complete'), '');
  }
  await forgetOldest(copies, copy);
  return copy;
}

/** The package to go back to: what ran before the last upgrade. */
export async function previousPackage(state: string): Promise<string> {
  const dir = (await readFile(previousFile(state), 'utf8').catch(() => '')).trim();
  if (dir !== '') return dir;
  throw new MtpError('NO_PREVIOUS', 'there is no engine to go back to', {
    exit: EXIT.precondition,
    hint: 'There is one after "mtp engine upgrade"; or name a package with: mtp engine upgrade --package DIR',
  });
}

export async function savePrevious(state: string, dir: string): Promise<void> {
  await ensureDirectory(copiesIn(state));
  await writeAtomic(previousFile(state), `${dir}\n`);
}

async function forgetOldest(copies: string, newest: string): Promise<void> {
  const names = (await readdir(copies)).filter((name) => /^[0-9a-f]{16}$/.test(name));
  const dated = await Promise.all(
    names.map(async (name) => ({ dir: path.join(copies, name), at: (await stat(path.join(copies, name))).mtimeMs })),
  );
  const old = dated.filter(({ dir }) => dir !== newest).sort((a, b) => b.at - a.at);
  for (const { dir } of old.slice(KEPT - 1)) await rm(dir, { recursive: true, force: true });
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
