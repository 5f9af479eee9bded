import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { watchOom } from '../../../src/lib/system/oom.ts';

const MEMORY = '/sys/fs/cgroup/memory';
const LIMIT = 96 * 2 ** 20;

/** Whether we may make a control group with a limit of memory. */
function groupsWork(): boolean {
  const group = path.join(MEMORY, `mtp-test-${process.pid}-try`);
  try {
    mkdirSync(group);
    rmdirSync(group);
    return existsSync(MEMORY);
  } catch {
    return false;
  }
}

describe.skipIf(!groupsWork())('a process in a control group with too little memory', () => {
  const eat = 'process.stdin.once("data", () => { const all = []; for (;;) all.push(Buffer.alloc(2 ** 20, 1)); })';

  async function inGroup(script: string, act: (child: ReturnType<typeof spawn>) => void): Promise<string | undefined> {
    const group = path.join(MEMORY, `mtp-test-${process.pid}-${Math.random().toString(36).slice(2)}`);
    mkdirSync(group);
    writeFileSync(path.join(group, 'memory.limit_in_bytes'), String(LIMIT));
    const command = `echo $$ > ${group}/cgroup.procs; echo ready; exec ${process.execPath} -e '${script}'`;
    const child = spawn('sh', ['-c', command], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    const why = await watchOom(child.pid as number);
    act(child);
    await once(child, 'exit');
    const said = await why();
    rmdirSync(group);
    return said;
  }

  test('is said to have been killed for it', async () => {
    const why = await inGroup(eat, (child) => child.stdin?.write('go'));
    expect(why).toBe('killed by the kernel for lack of memory (OOM; its control group may use 96 MiB)');
  });

  test('and is not, where something else killed it', async () => {
    expect(await inGroup('setInterval(() => {}, 1000)', (child) => child.kill('SIGKILL'))).toBeUndefined();
  });
});

test('the counters of version 2 are read as well', async () => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-oom-'));
  await mkdir(path.join(dir, 'proc/42'), { recursive: true });
  await mkdir(path.join(dir, 'cgroup/mtp.service'), { recursive: true });
  await writeFile(path.join(dir, 'proc/42/cgroup'), '0::/mtp.service\n');
  const events = path.join(dir, 'cgroup/mtp.service/memory.events');
  await writeFile(events, 'low 0\noom 1\noom_kill 1\n');
  await writeFile(path.join(dir, 'cgroup/mtp.service/memory.max'), 'max\n');
  const why = await watchOom(42, path.join(dir, 'proc'), path.join(dir, 'cgroup'));
  expect(await why()).toBeUndefined();
  await writeFile(events, 'low 0\noom 2\noom_kill 2\n');
  expect(await why()).toBe('killed by the kernel for lack of memory (OOM)');
  await rm(dir, { recursive: true });
});
