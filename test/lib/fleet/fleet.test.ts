import { chmod, chown, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compareUsers, isSame } from '../../../src/lib/fleet/compare.ts';
import { changeFleet, nameOf, readFleet } from '../../../src/lib/fleet/hosts.ts';
import { quote, sshFailure } from '../../../src/lib/fleet/ssh.ts';
import type { UserDigest } from '../../../src/lib/users/digest.ts';

type State = UserDigest['secrets'][number]['state'];
const user = (name: string, ...secrets: [string, State][]): UserDigest => ({
  name,
  profile: 'p',
  secrets: secrets.map(([hash, state]) => ({ hash, state, until: null, networks: null })),
});

describe('users are compared', () => {
  test('by names whatever their case, and by what the operator decided', () => {
    expect(isSame(compareUsers([user('bob')], [user('BOB')]))).toBe(true);
    const other = { ...user('bob'), profile: 'q' };
    expect(compareUsers([user('bob'), user('eve')], [other, user('ann')])).toEqual({
      missing: ['eve'],
      different: ['bob'],
      extra: ['ann'],
    });
  });

  test.each<[State, State | null, boolean]>([
    ['active', 'active', true],
    ['active', 'retiring', false],
    ['active', null, false],
    ['retiring', 'draining', false],
    ['draining', 'draining', true],
    ['draining', 'revoked', true],
    ['draining', 'active', false],
    ['revoked', 'revoked', true],
    ['revoked', null, true],
    // What was cut here must not be served there.
    ['revoked', 'draining', false],
    ['revoked', 'retiring', false],
  ])('and by secrets: %s here and %s there', (here, there, same) => {
    const theirs = there === null ? user('bob') : user('bob', ['a', there]);
    expect(isSame(compareUsers([user('bob', ['a', here])], [theirs]))).toBe(same);
  });

  test('a secret that is only there counts while it is served', () => {
    expect(isSame(compareUsers([user('bob')], [user('bob', ['a', 'revoked'])]))).toBe(true);
    expect(isSame(compareUsers([user('bob')], [user('bob', ['a', 'active'])]))).toBe(false);
  });
});

describe('the list of hosts', () => {
  let state: string;
  beforeEach(async () => {
    state = await mkdtemp(path.join(os.tmpdir(), 'mtp-hosts-'));
    await changeFleet({ state }, (fleet) => fleet);
  });
  afterEach(async () => rm(state, { recursive: true }));

  test("is refused where others can write it, or it is somebody else's", async () => {
    const file = path.join(state, 'fleet.json');
    await chmod(file, 0o666);
    await expect(readFleet({ state })).rejects.toMatchObject({ code: 'FLEET_FOREIGN' });
    await chmod(file, 0o600);
    await expect(readFleet({ state })).resolves.toMatchObject({ hosts: [] });
    if (process.getuid?.() !== 0) return;
    await chown(file, 12_345, 12_345);
    await expect(readFleet({ state })).rejects.toMatchObject({ code: 'FLEET_FOREIGN' });
  });

  test("is ours though its directory is the service's", async ({ skip }) => {
    skip(process.getuid?.() !== 0);
    await chown(state, 12_345, 12_345);
    await changeFleet({ state }, (fleet) => fleet);
    await expect(readFleet({ state })).resolves.toMatchObject({ hosts: [] });
  });

  test('is not read through a link, and damage is named', async () => {
    const file = path.join(state, 'fleet.json');
    await writeFile(file, '{"version":1,"hosts":[{}],"rotations":[]}');
    await expect(readFleet({ state })).rejects.toMatchObject({ code: 'FLEET_DAMAGED' });
    await rm(file);
    await symlink('/etc/hostname', file);
    await expect(readFleet({ state })).rejects.toMatchObject({ code: 'FILE_ELOOP' });
  });
});

test.each([
  ['root@fra.example.com', 'fra.example.com'],
  ['fra', 'fra'],
  ['ssh://root@fra.example.com:2222', 'fra.example.com'],
])('%s is called %s', (destination, name) => {
  expect(nameOf(destination)).toBe(name);
});

test.each([
  ['mtp', 'mtp'],
  ["a b'; rm -rf", `'a b'\\''; rm -rf'`],
  ['$(id)', `'$(id)'`],
])('%s is one word for a shell: %s', (word, quoted) => {
  expect(quote(word)).toBe(quoted);
});

test.each([
  ['@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@\nHost key verification failed.', 'SSH_HOST_KEY_CHANGED'],
  ['No ED25519 host key is known for fra and you have requested strict checking.', 'SSH_HOST_KEY_UNKNOWN'],
  ['root@fra: Permission denied (publickey).', 'SSH_DENIED'],
  ['ssh: Could not resolve hostname fra: Name or service not known', 'SSH_UNREACHABLE'],
])('what ssh says is told apart: %s', (stderr, code) => {
  const host = { name: 'fra', destination: 'fra', port: null, identity: null, sshConfig: null };
  expect(sshFailure(host, stderr)).toMatchObject({ code });
});
