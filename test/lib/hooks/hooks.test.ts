import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runHook } from '../../../src/lib/hooks/hooks.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-hooks-'));
});
afterEach(async () => rm(dir, { recursive: true, force: true }));

async function hook(body: string, mode = 0o700): Promise<void> {
  const file = path.join(dir, 'on-test');
  await writeFile(file, `#!/bin/sh\n${body}\n`);
  await chmod(file, mode);
}

test('a hook reads the message as JSON on its standard input, and nothing of it is in its arguments', async () => {
  await hook(`cat > "${dir}/got"; echo "$# arguments"`);
  const outcome = await runHook(dir, 'on-test', { secret: 'abc', n: 1 });
  expect(outcome).toMatchObject({ state: 'ran', output: '0 arguments' });
  expect(JSON.parse(await readFile(path.join(dir, 'got'), 'utf8'))).toEqual({ secret: 'abc', n: 1 });
});

test('where there is none, nothing is done', async () => {
  expect(await runHook(dir, 'on-test', {})).toEqual({ state: 'none' });
  expect(await runHook(path.join(dir, 'missing'), 'on-test', {})).toEqual({ state: 'none' });
});

test.each([
  ['fails', 'echo no; exit 3', 0o700, 'it ended with status 3'],
  ['is ended', 'kill -9 $$', 0o700, 'it was ended by SIGKILL'],
  ['may be written by others', 'exit 0', 0o722, 'others may write'],
  ['writes without end', 'yes', 0o700, 'it wrote more than 64 KB'],
])('one that %s is told of', async (_, body, mode, reason) => {
  await hook(body, mode);
  const outcome = await runHook(dir, 'on-test', {});
  expect(outcome.state).toBe('failed');
  expect(outcome.state === 'failed' && outcome.reason).toContain(reason);
});

test('one that does not read its input, and one that is no program, are no harm', async () => {
  await hook('exec 0<&-; exit 0');
  expect((await runHook(dir, 'on-test', { long: 'x'.repeat(1_000_000) })).state).toBe('ran');
  const file = path.join(dir, 'on-test');
  await writeFile(file, Buffer.from([0, 1, 2, 3]));
  expect((await runHook(dir, 'on-test', {})).state).toBe('failed');
});

test('what a hook starts ends with its time, and does not hold us up', async () => {
  await hook(`sleep 300; echo over > "${dir}/over"`);
  expect(await runHook(dir, 'on-test', {}, 300)).toMatchObject({
    state: 'failed',
    reason: 'it took longer than 0.3 s',
  });
  await hook('echo told; sleep 300 &');
  expect(await runHook(dir, 'on-test', {}, 300)).toMatchObject({ state: 'ran', output: 'told' });
});
