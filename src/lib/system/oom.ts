import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** Where a control group counts the processes that the kernel killed in it for lack of memory. */
interface Counter {
  file: string;
  limitFile: string;
}

/**
 * Watch a process for an end by lack of memory. The returned function tells, once the process is gone, in words that it was
 * so, and undefined where it was not or cannot be known.
 */
export async function watchOom(
  pid: number,
  proc = '/proc',
  root = '/sys/fs/cgroup',
): Promise<() => Promise<string | undefined>> {
  const groups = await readFile(path.join(proc, String(pid), 'cgroup'), 'utf8').catch(() => '');
  const counter = counterOf(groups, root);
  if (counter === undefined) return async () => undefined;
  const before = await killsIn(counter.file);
  return async () => {
    const after = await killsIn(counter.file);
    if (before === undefined || after === undefined || after <= before) return undefined;
    const limit = Number(await readFile(counter.limitFile, 'utf8').catch(() => ''));
    const of =
      Number.isSafeInteger(limit) && limit > 0 ? `; its control group may use ${Math.round(limit / 2 ** 20)} MiB` : '';
    return `killed by the kernel for lack of memory (OOM${of})`;
  };
}

/** From the text of `/proc/PID/cgroup` (cgroups(7)): the memory controller of version 1, else the one hierarchy of version 2. */
function counterOf(groups: string, root: string): Counter | undefined {
  const rows = groups.split('\n').map((line) => line.split(':'));
  const first = rows.find(([, controllers]) => controllers?.split(',').includes('memory'))?.[2];
  if (first !== undefined) {
    const dir = path.join(root, 'memory', first);
    return { file: path.join(dir, 'memory.oom_control'), limitFile: path.join(dir, 'memory.limit_in_bytes') };
  }
  const second = rows.find(([id, controllers]) => id === '0' && controllers === '')?.[2];
  if (second === undefined) return undefined;
  const dir = path.join(root, second);
  return { file: path.join(dir, 'memory.events'), limitFile: path.join(dir, 'memory.max') };
}

async function killsIn(file: string): Promise<number | undefined> {
  const count = /^oom_kill (\d+)$/m.exec(await readFile(file, 'utf8').catch(() => ''))?.[1];
  return count === undefined ? undefined : Number(count);
}
