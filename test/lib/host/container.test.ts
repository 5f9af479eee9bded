import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findContainer } from '../../../src/lib/host/container.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'mtp-container-'));
});
afterEach(async () => rm(root, { recursive: true }));

it.each([
  ['.dockerenv', '', 'docker'],
  ['run/.containerenv', '', 'podman'],
  ['run/systemd/container', 'systemd-nspawn\n', 'systemd-nspawn'],
  ['proc/1/environ', 'PATH=/bin\0container=lxc\0HOME=/', 'lxc'],
  ['proc/1/environ', 'PATH=/bin\0no_container=x', undefined],
])('%s with %j means %s', async (file, text, manager) => {
  await mkdir(path.dirname(path.join(root, file)), { recursive: true });
  await writeFile(path.join(root, file), text);
  expect(await findContainer(root)).toBe(manager);
});
