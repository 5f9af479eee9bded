import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A memory control group of our own, of either version. */
export interface MemoryGroup {
  /** Where a process writes its number to enter. */
  procs: string;
  /** Processes that the kernel has ended for want of memory. */
  kills: () => number;
  remove: () => void;
}

const ROOT = '/sys/fs/cgroup';
const LAYOUTS = [
  { parent: ROOT, limit: 'memory.max', kills: 'memory.events' },
  { parent: `${ROOT}/memory`, limit: 'memory.limit_in_bytes', kills: 'memory.oom_control' },
];

/** Make a group that may use `bytes`; or say why that is not possible here. */
export function makeMemoryGroup(bytes: number): MemoryGroup | string {
  const refusals: string[] = [];
  for (const { parent, limit, kills } of LAYOUTS) {
    const dir = path.join(parent, `mtp-test-${process.pid}`);
    try {
      mkdirSync(dir);
    } catch (error) {
      refusals.push(String(error));
      continue;
    }
    const remove = (): void => rmdirSync(dir);
    try {
      writeFileSync(path.join(dir, limit), String(bytes), { flag: 'r+' });
    } catch (error) {
      remove();
      refusals.push(String(error));
      continue;
    }
    return {
      procs: path.join(dir, 'cgroup.procs'),
      kills: () => Number(/^oom_kill (\d+)$/m.exec(readFileSync(path.join(dir, kills), 'utf8'))?.[1] ?? 0),
      remove,
    };
  }
  return refusals.join('; ');
}
