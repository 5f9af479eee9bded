import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { packUsers } from '../../../src/daemon/engine/packed-users.ts';
import { type Search, UserSet } from '../../../src/daemon/engine/user-set.ts';
import type { EngineUser } from '../../../src/daemon/supervisor/engine.ts';
import { collectHello, type Hello, readHello } from '../../../src/lib/protocol/client-hello.ts';
import { engineUser } from '../../support/engine-user.ts';
import { makeHello } from '../../support/raw-client.ts';

const users = Array.from({ length: 1000 }, (_, index) => {
  const state = index % 2 === 0 ? ('active' as const) : ('tombstone' as const);
  const secrets = [{ id: `secret-${index}`, key: randomBytes(16).toString('hex'), state, maxNetworks: null }];
  return engineUser(`user-${index}`, '', `site-${index % 3}.test`, { secrets });
});
const keyOf = ({ secrets: [secret] }: EngineUser): string => secret?.key ?? '';
const secretOf = ({ secrets: [secret] }: EngineUser): string => secret?.id ?? '';
const numberOf = (id: string): number => Number(id.slice(id.indexOf('-') + 1));
const rowOf = (id: string): number => (id.startsWith('user') ? 5000 : 9000) - numberOf(id);

function find(
  set: UserSet,
  user: EngineUser,
  domain: string | null,
  hint: number | null = null,
): [Search<number>, number] {
  const hello = helloOf(user, domain);
  const guess = set.guessByHello(hello, hint);
  if (guess !== null) return [guess, 0];
  let search: Search<number> = { next: 0 };
  let turns = 0;
  for (; search !== null && 'next' in search; turns++) search = set.findByHello(hello, search.next);
  return [search, turns];
}

function helloOf(user: EngineUser, domain: string | null): Hello {
  const collected = collectHello(makeHello({ key: Buffer.from(keyOf(user), 'hex'), domain }));
  const hello = collected.state === 'complete' ? readHello(collected.record) : null;
  if (hello === null) throw new Error('no hello');
  return hello;
}

test('every user is found under any name, as who it is', () => {
  const set = new UserSet(packUsers(users, rowOf));
  expect(set.size).toBe(1000);
  for (const user of users.filter((_, index) => index % 97 === 0)) {
    for (const domain of [user.domain, 'site-1.test', 'elsewhere.test', null]) {
      const [search] = find(new UserSet(packUsers(users, rowOf)), user, domain);
      expect(search).toMatchObject({
        user: {
          row: rowOf(user.id),
          secretRow: rowOf(secretOf(user)),
          key: Buffer.from(keyOf(user), 'hex'),
          domain: user.domain,
          stale: numberOf(user.id) % 2 === 1,
        },
      });
    }
  }
  expect(find(set, engineUser('', randomBytes(16).toString('hex'), ''), 'site-2.test')[0]).toBeNull();
});

test('the hinted user and the latest ones are tried at once, those of the domain before others', () => {
  const set = new UserSet(packUsers(users, rowOf));
  const last = users.at(-1) as EngineUser;
  expect(find(set, last, 'site-1.test')[1]).toBeGreaterThan(1);
  expect(find(set, last, 'site-1.test')[1]).toBe(0);
  const other = users.at(-2) as EngineUser;
  expect(find(set, other, 'elsewhere.test', rowOf(secretOf(other)))[1]).toBe(0);
  const first = users[2] as EngineUser;
  expect(find(new UserSet(packUsers(users, rowOf)), first, first.domain)[1]).toBe(1);
});

test('a hint is the row of a secret: of another, of a user, of one that is gone or never was it only costs a try', () => {
  const set = new UserSet(packUsers(users, rowOf));
  for (const user of users.filter((_, index) => index % 97 === 0)) {
    const hello = helloOf(user, null);
    const found = { user: { secretRow: rowOf(secretOf(user)) } };
    expect(new UserSet(packUsers(users, rowOf)).guessByHello(hello, rowOf(secretOf(user)))).toMatchObject(found);
    for (const row of [rowOf(user.id), 0, 9001, 1e6]) expect(set.guessByHello(hello, row)).toBeNull();
    const without = new UserSet(
      packUsers(
        users.filter((other) => other !== user),
        rowOf,
      ),
    );
    expect(without.guessByHello(hello, rowOf(secretOf(user)))).toBeNull();
  }
  const rows = users.map((user) => rowOf(secretOf(user)));
  const reversed = new UserSet(packUsers(users.toReversed(), rowOf));
  for (const at of [0, 1, 500, 999]) {
    const hello = helloOf(users[at] as EngineUser, null);
    expect(reversed.guessByHello(hello, rows[at] as number)).toMatchObject({ user: { secretRow: rows[at] } });
  }
});

test('nobody is found where there is nobody', () => {
  expect(find(new UserSet(packUsers([], rowOf)), users[0] as EngineUser, null)[0]).toBeNull();
});
