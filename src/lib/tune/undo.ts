import { readFile, rm } from 'node:fs/promises';
import { sha256 } from '../system/hash.ts';
import type { Kernel } from './kernel.ts';
import { loadTuneState, removeTuneState, saveTuneState } from './state.ts';

export interface TuneUndone {
  /** Keys that have the value from before again, read back from the kernel. */
  restored: { key: string; value: string }[];
  /** Keys that somebody changed since; they are left as they are. */
  left: { key: string; value: string }[];
  failed: { key: string; why: string }[];
  /** Null when there was none; `kept` where somebody changed it. */
  file: { path: string; kept: boolean } | null;
}

/** Give the keys that we changed their values from before, and take our file away. Null when nothing is to be undone. */
export async function undoTune(kernel: Kernel, stateDir: string): Promise<TuneUndone | null> {
  const state = await loadTuneState(stateDir);
  if (state === undefined) return null;
  const undone: TuneUndone = { restored: [], left: [], failed: [], file: null };
  for (const { key, before, after } of state.keys) {
    const current = await kernel.read(key);
    if (current === before) undone.restored.push({ key, value: before });
    else if (current !== undefined && current !== after) undone.left.push({ key, value: current });
    else {
      const why = await kernel.write(key, before);
      if (why === undefined) undone.restored.push({ key, value: before });
      else undone.failed.push({ key, why });
    }
  }
  const present = await readFile(state.file, 'utf8').catch(() => undefined);
  if (present !== undefined) {
    const kept = sha256(present) !== state.sha256;
    if (!kept) await rm(state.file);
    undone.file = { path: state.file, kept };
  }
  const open = state.keys.filter(({ key }) => undone.failed.some((failure) => failure.key === key));
  if (open.length === 0) await removeTuneState(stateDir);
  else await saveTuneState(stateDir, { ...state, keys: open });
  return undone;
}
