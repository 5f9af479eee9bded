import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('fixtures/reload-often.ts', import.meta.url));

test('an engine that takes many revisions keeps nothing of them', () => {
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT], { encoding: 'utf8', timeout: 30_000 });
  expect(stderr).not.toMatch(/leak/);
  expect(status).toBe(0);
});
