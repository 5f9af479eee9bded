import { expect, test } from 'vitest';
import { Fates } from '../../../src/daemon/engine/fates.ts';
import { OwnConnections } from '../../../src/daemon/engine/own-connections.ts';

const at = (port: number, host = '127.0.0.1'): { host: string; port: number } => ({ host, port });

test('a connection is our own once, from the named address and port alone, and not for ever', () => {
  let now = 0;
  const own = new OwnConnections(
    () => undefined,
    () => now,
  );
  expect([own.none, own.take(at(1))]).toEqual([true, false]);
  own.expect(at(1));
  expect([own.take(at(2)), own.take(at(1, '192.0.2.1')), own.take(at(1)), own.take(at(1))]).toEqual([
    false,
    false,
    true,
    false,
  ]);
  own.expect(at(1));
  own.forget(at(1));
  expect(own.take(at(1))).toBe(false);
  own.expect(at(1));
  now = 60_000;
  expect(own.take(at(1))).toBe(false);
});

test('what is never taken is forgotten, the oldest first', async () => {
  const own = new OwnConnections(
    () => undefined,
    () => 0,
  );
  const fates = new Fates();
  for (let port = 1; port <= 1000; port++) {
    own.expect(at(port));
    fates.begin(at(port));
    fates.settle(at(port), 'ok');
  }
  expect([own.take(at(936)), own.take(at(937)), own.take(at(1000))]).toEqual([false, true, true]);
  expect([await fates.end(at(936)), await fates.end(at(937))]).toEqual([null, 'ok']);
});

test('a fate that comes a little late is waited for, and one that does not come is not known', async () => {
  const fates = new Fates();
  fates.begin(at(1));
  const late = fates.end(at(1));
  fates.settle(at(1), 'quota');
  expect(await late).toBe('quota');
  fates.begin(at(2));
  expect(await fates.end(at(2))).toBeNull();
  fates.settle(at(2), 'ok');
  expect(await fates.end(at(2))).toBeNull();
});
