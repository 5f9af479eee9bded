import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { entryUrl, packageUrl } from '../../../src/lib/system/module-url.ts';

test('entries and shipped files are found from the sources', () => {
  expect(existsSync(entryUrl('daemon/engine/main'))).toBe(true);
  expect(existsSync(entryUrl('daemon/engine/worker'))).toBe(true);
  expect(existsSync(packageUrl('templates/config.toml'))).toBe(true);
});
