import { expect, test } from 'vitest';
import { UserTable } from '../../../../src/daemon/engine/shared/user-table.ts';

const UNLIMITED = { connections: null, networks: null, upBytesPerSecond: null, downBytesPerSecond: null };

test.each([
  ['small packets', 100, 1_000_000],
  ['ordinary reads at a high speed', 16_384, 100_000_000],
])('a speed limit counts %s as exactly as others', (_, bytes, bytesPerSecond) => {
  const table = UserTable.create(10, 1);
  table.setLimits(0, { ...UNLIMITED, downBytesPerSecond: bytesPerSecond });
  const rows = table.worker(0);
  const now = 1_000_000;
  let wait = 0;
  for (let sent = 0; sent < 2 * bytesPerSecond; sent += bytes) wait = rows.pay(0, 'down', bytes, now);
  // Two seconds' worth, of which half a second may go as a burst.
  expect(wait).toBeGreaterThan(1480);
  expect(wait).toBeLessThan(1520);
});

test('a speed of nothing is waited for an hour at a time', () => {
  const table = UserTable.create(10, 1);
  table.setLimits(0, { ...UNLIMITED, upBytesPerSecond: 0 });
  expect(table.worker(0).pay(0, 'up', 1, 1_000_000)).toBe(3_600_000 - 500);
});
