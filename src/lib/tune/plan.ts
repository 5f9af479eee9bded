import path from 'node:path';
import { findOverrides } from './overrides.ts';
import type { Kernel } from './kernel.ts';
import { type TuneFacts, tuneKeys } from './keys.ts';

export interface TuneLine {
  key: string;
  /** Null where this kernel, or this container, does not have the key. */
  current: string | null;
  wanted: string | null;
  reason: string;
  action: 'change' | 'keep' | 'absent';
  /** The file that sets the key again at the next boot, after ours. */
  overriddenBy: string | null;
}

export interface TunePlan {
  /** The file that is read at boot. */
  file: string;
  lines: TuneLine[];
}

export interface TunePlace {
  kernel: Kernel;
  /** Root of the file system; `/` but for tests. */
  root: string;
}

/** What would be changed, and why. `only` takes keys that begin with one of these. */
export async function planTune(facts: TuneFacts, { kernel, root }: TunePlace, only: string[]): Promise<TunePlan> {
  const keys = tuneKeys(facts).filter(({ key }) => only.length === 0 || only.some((start) => key.startsWith(start)));
  const file = path.join(root, 'etc/sysctl.d/60-mtp.conf');
  const names = keys.map(({ key }) => key);
  const overrides = await findOverrides(root, file, names);
  const lines = keys.map(async ({ key, reason, want }): Promise<TuneLine> => {
    const current = await kernel.read(key);
    if (current === undefined) {
      return { key, current: null, wanted: null, reason, action: 'absent', overriddenBy: null };
    }
    const wanted = want(current);
    const action = wanted === current ? 'keep' : 'change';
    const overriddenBy = action === 'change' ? (overrides.get(key) ?? null) : null;
    return { key, current, wanted, reason, action, overriddenBy };
  });
  return { file, lines: await Promise.all(lines) };
}
