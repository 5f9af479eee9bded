import type { Paths } from '../system/paths.ts';
import { changeConfig, type ConfigChange, type ConfigEdit } from './change.ts';
import { formatDiff } from './diff.ts';
import { type ConfigEffect, describeEffect, takeEffect } from './effect.ts';

export interface Applied extends ConfigChange {
  dryRun: boolean;
  /** What became of the change; null where nothing was written. */
  effect: ConfigEffect | null;
}

/** Change the configuration file and have a running proxy take the change over. */
export async function applyEdits(
  paths: Paths,
  edits: readonly ConfigEdit[],
  { dryRun, env }: { dryRun: boolean; env: NodeJS.ProcessEnv },
): Promise<Applied> {
  const change = await changeConfig(paths.configFile, edits, { dryRun });
  const keys = edits.map(({ key }) => key);
  return { ...change, dryRun, effect: dryRun || !change.changed ? null : await takeEffect(paths, keys, env) };
}

/** The difference and how it went, a line each. `notes` stand between the two. */
export function describeApplied(applied: Applied, unchanged: string, notes: string[] = []): string[] {
  const { changed, diff, effect } = applied;
  const above = [...formatDiff(diff), ...notes];
  if (!changed) return [...above, unchanged];
  if (effect === null) return [...above, 'Dry run: nothing was changed.'];
  return [...above, ...describeWritten(applied)];
}

/** How it went, without the difference. */
export function describeWritten({ file, effect }: Applied): string[] {
  return effect === null ? [] : [`Wrote ${file}.`, ...describeEffect(effect)];
}
