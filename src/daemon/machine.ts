import os from 'node:os';
import { connectionCap, openFilesLimit } from '../lib/system/limits.ts';
import { availableMemory } from '../lib/system/memory.ts';
import type { Machine } from './revision.ts';

/** What this machine lets a proxy be. `os.cpus()` is empty in a hardened unit, so processors are counted otherwise. */
export async function readMachine(): Promise<Machine> {
  const cap = connectionCap(availableMemory().bytes, await openFilesLimit());
  return { processors: os.availableParallelism(), cap };
}
