import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { loadAccelerator } from '../../../src/lib/system/accelerator.ts';
import { packageUrl } from '../../../src/lib/system/module-url.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-accelerator-'));
});
afterAll(async () => rm(home, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/** What comes of loading a file: whether it is used, and what was said of it. */
function load(file?: string): { used: boolean; reasons: string[] } {
  const reasons: string[] = [];
  const used = loadAccelerator((reason) => reasons.push(reason), file) !== null;
  return { used, reasons };
}

const isBuilt = existsSync(packageUrl('src/native/accelerator.node'));

test.skipIf(!isBuilt)('one that is built is used, unless it is turned off', () => {
  vi.stubEnv('MTP_ACCELERATOR', '');
  expect(load()).toEqual({ used: true, reasons: [] });
  vi.stubEnv('MTP_ACCELERATOR', 'off');
  expect(load()).toEqual({ used: false, reasons: [] });
});

test('one that is not built is nothing to speak of', () => {
  expect(load(path.join(home, 'none.node'))).toEqual({ used: false, reasons: [] });
});

test.each([
  ['cut.node', '\x7fELF', /file too short|invalid ELF/],
  ['throws.cjs', 'throw new Error("no such symbol")', /^no such symbol$/],
  ['empty.cjs', '', /is not a function/],
  [
    'idle.cjs',
    'module.exports = { open: () => 1, close() {}, apply: () => true, recrypt: () => true }',
    /^it does not compute AES-256-CTR$/,
  ],
])('%s is refused with a reason', async (name, content, reason) => {
  vi.stubEnv('MTP_ACCELERATOR', '');
  const file = path.join(home, name);
  await writeFile(file, content);
  expect(load(file)).toEqual({ used: false, reasons: [expect.stringMatching(reason) as string] });
});
