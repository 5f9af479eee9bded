import { describe, expect, it } from 'vitest';
import { accessChanges, chooseTried, dialable, judge, refuting, standingAccess } from '../../src/daemon/proofs.ts';
import type { HandshakeVerdict } from '../../src/lib/probe/handshake.ts';
import { NO_LIMITS, type SecretState, type User, type UserSecret } from '../../src/lib/users/user.ts';
import { engineSettings } from '../support/engine.ts';
import { user as userWith } from '../support/users.ts';

const NOW = 1_800_000_000_000;
const user = (name: string, key: string, enabled = true): User => ({ ...userWith(name, key), enabled });
const at = (layer: HandshakeVerdict['layer']): HandshakeVerdict => ({
  layer,
  ok: layer === 'works',
  ms: 1,
  detail: 'x',
});

describe('changes of access', () => {
  it('are users added, removed, disabled and given a new key', () => {
    const before = [user('kept', 'k'), user('gone', 'g'), user('off', 'o'), user('rekeyed', 'r1')];
    const after = [user('kept', 'k'), user('off', 'o', false), user('rekeyed', 'r2'), user('new', 'n')];
    expect(accessChanges(before, after, NOW)).toEqual([
      { name: 'rekeyed', key: 'r2', access: true },
      { name: 'new', key: 'n', access: true },
      { name: 'off', key: 'o', access: false },
      { name: 'gone', key: 'g', access: false },
      { name: 'rekeyed', key: 'r1', access: false },
    ]);
  });
  it('are users that expire, and secrets that are revoked', () => {
    const lost = [{ name: 'bob', key: 'k', access: false }];
    const bob = user('bob', 'k');
    expect(accessChanges([bob], [{ ...bob, expiresAt: NOW }], NOW)).toEqual(lost);
    expect(accessChanges([bob], [{ ...bob, expiresAt: NOW + 1 }], NOW)).toEqual([]);
    const revoked = bob.secrets.map((secret) => ({ ...secret, state: 'revoked' as const }));
    const old = [{ name: 'bob (old secret)', key: 'k', access: false }];
    expect(accessChanges([bob], [{ ...bob, secrets: revoked }], NOW)).toEqual(old);
  });
  it('are users whom a limit of 0 keeps out', () => {
    const bob = user('bob', 'k');
    const none = { ...bob, limits: { ...bob.limits, networks: 0 } };
    expect(accessChanges([bob], [none], NOW)).toEqual([{ name: 'bob', key: 'k', access: false }]);
    expect(accessChanges([none], [bob], NOW)).toMatchObject([{ access: true }]);
  });
  it('are steps in the life of a secret, whether or not they change who is let in', () => {
    const bob = user('bob', 'k');
    const [secret] = bob.secrets as [UserSecret];
    const withOld = (state: SecretState, limit: number | null = null): User => ({
      ...bob,
      secrets: [
        { ...secret, state, retireLimitNetworks: limit },
        { ...secret, id: 'new', key: 'n' },
      ],
    });
    const [old, fresh] = [
      { name: 'bob (old secret)', key: 'k' },
      { name: 'bob', key: 'n', access: true },
    ];
    expect(accessChanges([bob], [withOld('retiring')], NOW)).toEqual([{ ...old, access: true }, fresh]);
    expect(accessChanges([bob], [withOld('retiring', 0)], NOW)).toEqual([fresh, { ...old, access: false }]);
    expect(accessChanges([withOld('retiring')], [withOld('draining')], NOW)).toEqual([{ ...old, access: false }]);
    expect(accessChanges([withOld('draining')], [withOld('revoked')], NOW)).toEqual([{ ...old, access: false }]);
    expect(accessChanges([withOld('revoked')], [withOld('revoked')], NOW)).toEqual([]);
  });
  it('are tried out in part where they are many, those gained and those lost', () => {
    const many = (from: number, access: boolean): ReturnType<typeof accessChanges> =>
      Array.from({ length: 100 }, (_, at) => ({ name: `u${from + at}`, key: `k${from + at}`, access }));
    const tried = chooseTried([...many(0, true), ...many(100, false)]);
    expect(tried).toHaveLength(16);
    expect(tried.filter(({ access }) => access)).toHaveLength(8);
    expect(tried.map(({ name }) => name)).toEqual(expect.arrayContaining(['u0', 'u99', 'u100', 'u199']));
  });
  it('do not follow from a new name', () => {
    expect(accessChanges([user('a', 'k')], [user('b', 'k')], NOW)).toEqual([]);
  });
});

describe('what is tried where nobody gains or loses access', () => {
  const edges = { random: (size: number) => Buffer.alloc(size, 1), now: () => NOW };
  const nobody = { name: 'a secret that nobody has', key: '01'.repeat(16), access: false };

  it('is a user who is surely let in, and a secret of nobody', () => {
    const expired = { ...user('expired', 'e'), expiresAt: NOW };
    const none = { ...user('none', 'f'), limits: { ...NO_LIMITS, connections: 0 } };
    const users = [user('off', 'o', false), expired, none, user('free', 'k')];
    expect(standingAccess(users, edges)).toEqual([{ name: 'free', key: 'k', access: true }, nobody]);
  });
  it('is a secret of nobody alone where nobody may come in', () => {
    expect(standingAccess([user('off', 'o', false)], edges)).toEqual([nobody]);
  });
});

describe('a proof that does not hold', () => {
  const settings = (mode: 'ee' | 'dd'): ReturnType<typeof engineSettings> =>
    engineSettings({ settings: { modes: [mode] } });
  const failed = (name: string, layer: HandshakeVerdict['layer'], access = true) => ({
    name,
    ...judge(at(layer), 'ee', access),
  });

  it('tells against a revision', () => {
    const proofs = [failed('free', 'tls'), failed('full', 'dc', false)];
    expect(refuting(proofs, settings('ee'))).toEqual(proofs);
  });
  it('does not where it may be the doing of Telegram', () => {
    expect(refuting([failed('free', 'tls')], settings('dd'))).toEqual([]);
  });
  it('does in every mode where our own port is not reached', () => {
    const proofs = [failed('full', 'tcp')];
    expect(refuting(proofs, settings('dd'))).toEqual(proofs);
  });
});

describe('judgement of a handshake', () => {
  it.each([
    ['works', 'ee', true, true],
    ['dc', 'ee', true, true],
    ['tls', 'ee', true, false],
    ['tls', 'ee', false, true],
    ['dc', 'ee', false, false],
    ['works', 'dd', true, true],
    ['obfuscated2', 'dd', true, false],
    ['obfuscated2', 'dd', false, true],
    ['works', 'dd', false, false],
    ['tcp', 'ee', false, false],
    ['tcp', 'ee', true, false],
  ] as const)('%s in %s with access %s is ok: %s', (layer, mode, access, ok) => {
    expect(judge(at(layer), mode, access).ok).toBe(ok);
  });
});

it('a listener on all addresses is dialled at loopback', () => {
  expect(dialable({ host: '::', port: 1 }).host).toBe('::1');
  expect(dialable({ host: '0.0.0.0', port: 1 }).host).toBe('127.0.0.1');
  expect(dialable({ host: '192.0.2.1', port: 1 }).host).toBe('192.0.2.1');
});
