import type { Settings } from '../lib/config/schema.ts';

/** Settings that an engine process takes at its start only. */
const STRUCTURAL = [
  ['listen', 'host'],
  ['listen', 'port'],
  ['listen', 'backlog'],
  ['limits', 'connections'],
  ['engine', 'user'],
  ['workers', 'count'],
] as const;

/**
 * What of newly read settings can be served without a restart: the structural ones keep the values that run, and those
 * that would have changed are named.
 */
export function keepStructural(running: Settings, read: Settings): { settings: Settings; restartNeeded: string[] } {
  const settings = structuredClone(read);
  const restartNeeded: string[] = [];
  for (const [table, key] of STRUCTURAL) {
    const [from, to] = [running[table] as Record<string, unknown>, settings[table] as Record<string, unknown>];
    if (from[key] === to[key]) continue;
    to[key] = from[key];
    restartNeeded.push(`${table}.${key}`);
  }
  return { settings, restartNeeded };
}
