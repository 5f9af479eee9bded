import { readFile } from 'node:fs/promises';
import { writeAtomic } from '../system/files.ts';
import { sha256 } from '../system/hash.ts';
import type { InstallStep } from './execute.ts';

/** A file of which every byte is ours. */
export function fileStep(
  id: string,
  title: string,
  file: string,
  mode: number,
  render: () => Promise<string>,
): InstallStep {
  return {
    id,
    title,
    holds: async () => (await readIfThere(file)) === (await render()),
    makes: async () => [{ kind: 'file', path: file, sha256: sha256(await render()) }],
    act: async () => writeAtomic(file, await render(), mode),
  };
}

export async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
