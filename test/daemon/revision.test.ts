import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settingsSchema, type Settings, tables } from '../../src/lib/config/schema.ts';
import type { User, UserSecret } from '../../src/lib/users/user.ts';
import { user } from '../support/users.ts';
import { canonicalJson, effectiveCap, makeRevision, type RevisionParts } from '../../src/daemon/revision.ts';
import { REVISION_ROWS } from '../../src/daemon/supervisor/engine.ts';
import { keepStructural } from '../../src/daemon/structural.ts';

const base = Object.fromEntries(Object.keys(tables).map((table) => [table, {}]));
const settings = (values: Record<string, unknown> = {}): Settings => settingsSchema.parse({ ...base, ...values });
const NOW = 1_800_000_000_000;
const me: User = user('me', 'a'.repeat(32));
const machine = { processors: 2, cap: { connections: 3620, bound: 'memory' as const } };
const parts = (change: Partial<RevisionParts> = {}): RevisionParts => ({
  settings: settings(),
  users: [me],
  profiles: {},
  machine,
  replayFile: null,
  usageDirectory: null,
  now: NOW,
  ...change,
});

describe('revision', () => {
  it('has one id for one content, whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (record) => {
        const reversed = Object.fromEntries(Object.entries(record).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(record));
      }),
    );
    expect(makeRevision(parts()).id).toBe(makeRevision(parts()).id);
    expect(makeRevision(parts()).id).toMatch(/^[0-9a-f]{64}$/);
  });
  it('changes with a secret, a setting or a measured cover, not with a name', () => {
    const { id } = makeRevision(parts());
    expect(makeRevision(parts({ users: [{ ...user('me', 'b'.repeat(32)) }] })).id).not.toBe(id);
    expect(makeRevision(parts({ settings: settings({ protocol: { modes: ['dd'] } }) })).id).not.toBe(id);
    const profiles = { 'www.apple.com': { flightBytes: 3000, postQuantum: true } };
    expect(makeRevision(parts({ profiles })).id).not.toBe(id);
    expect(makeRevision(parts({ users: [{ ...me, name: 'you' }] })).id).toBe(id);
  });
  it('is named by the canonical form of its content', () => {
    const states = ['active', 'retiring', 'draining', 'revoked'] as const;
    const secrets = states.map((state): UserSecret => ({ ...(me.secrets[0] as UserSecret), id: state, state }));
    const { id, settings: engine, users } = makeRevision(parts({ users: [me, { ...me, id: 'you', secrets }] }));
    const content = canonicalJson({ settings: engine, users });
    expect(id).toBe(createHash('sha256').update(content).digest('hex'));
  });
  it('forgets revoked secrets where there are too many for an engine, the oldest first', () => {
    const secrets = Array.from({ length: REVISION_ROWS + 100 }, (_, at): UserSecret => {
      const secret = { ...(me.secrets[0] as UserSecret), id: `s${at}` };
      const revokedAt = NOW - ((at * 7919) % REVISION_ROWS);
      return at < 10 ? secret : { ...secret, state: 'revoked', revokedAt, tombstoneUntil: NOW + 1 };
    });
    const [made] = makeRevision(parts({ users: [{ ...me, secrets }] })).users;
    expect(made?.secrets).toHaveLength(REVISION_ROWS - 1);
    const kept = new Set(made?.secrets.map(({ id }) => id));
    const [present, gone] = [secrets.filter(({ id }) => kept.has(id)), secrets.filter(({ id }) => !kept.has(id))];
    expect(gone.every(({ state }) => state === 'revoked')).toBe(true);
    const times = (list: UserSecret[]): number[] => list.flatMap(({ revokedAt }) => revokedAt ?? []);
    const oldestKept = times(present).reduce((least, at) => Math.min(least, at));
    expect(Math.max(...times(gone))).toBeLessThanOrEqual(oldestKept);
  });
  it('fills in what the settings leave to the machine', () => {
    const { settings: engine, users } = makeRevision(parts());
    expect(engine.workers).toBe(2);
    expect(engine.limits).toMatchObject({ connections: 3620, coverConnections: 128 });
    expect(engine.maxSkewSeconds).toBe(120);
    expect(engine.cover.target).toEqual({ host: 'www.apple.com', port: 443 });
    expect(users).toEqual([
      {
        id: me.id,
        domain: 'www.apple.com',
        enabled: true,
        secrets: [{ id: 'secret of me', key: 'a'.repeat(32), state: 'active', maxNetworks: null }],
        limits: { connections: null, networks: null, upBytesPerSecond: null, downBytesPerSecond: null },
        expiresAt: null,
      },
    ]);
  });
  it('carries limits, expiry and the secrets that are accepted or recognised', () => {
    const [secret] = me.secrets as [UserSecret];
    const secrets: UserSecret[] = [
      secret,
      { ...secret, id: 'old', state: 'retiring', retireLimitNetworks: 2 },
      { ...secret, id: 'drained', state: 'draining' },
      { ...secret, id: 'dead', state: 'revoked', tombstoneUntil: NOW + 1 },
      { ...secret, id: 'forgotten', state: 'revoked', tombstoneUntil: NOW },
    ];
    const limits = { ...me.limits, connections: 16, networks: 3, upBytesPerSecond: 0, downBytesPerSecond: 1250 };
    const [carried] = makeRevision(parts({ users: [{ ...me, secrets, limits, expiresAt: NOW + 5 }] })).users;
    expect(carried).toMatchObject({
      limits: { connections: 16, networks: 3, upBytesPerSecond: 0, downBytesPerSecond: 1250 },
      expiresAt: NOW + 5,
    });
    expect(carried?.secrets.map(({ id, state, maxNetworks }) => [id, state, maxNetworks])).toEqual([
      [secret.id, 'active', null],
      ['old', 'retiring', 2],
      ['drained', 'draining', null],
      ['dead', 'tombstone', null],
    ]);
  });
  it('replaces the addresses of one DC and keeps the others', () => {
    const own = settings({ telegram: { dc: { '2': ['127.0.0.1:4430'] } } });
    const { dcs } = makeRevision(parts({ settings: own })).settings.telegram;
    expect(dcs['2']).toEqual([{ host: '127.0.0.1', port: 4430 }]);
    expect(dcs['1']?.length).toBeGreaterThan(0);
  });
});

describe('connection cap in force', () => {
  it('is the word of the operator', () => {
    expect(effectiveCap(50, machine)).toEqual({ connections: 50, bound: 'configured' });
    expect(effectiveCap(9000, machine)).toEqual({ connections: 9000, bound: 'configured' });
  });
  it('is not more than the open files allow', () => {
    const cap = { connections: 256, bound: 'open-files' as const };
    expect(effectiveCap(9000, { processors: 1, cap })).toEqual(cap);
  });
});

describe('structural settings', () => {
  it('stay as they run and are named', () => {
    const running = settings({ listen: { port: 443 } });
    const read = settings({ listen: { port: 8443 }, workers: { count: 4 }, protocol: { modes: ['dd'] } });
    const kept = keepStructural(running, read);
    expect(kept.restartNeeded).toEqual(['listen.port', 'workers.count']);
    expect(kept.settings.listen.port).toBe(443);
    expect(kept.settings.protocol.modes).toEqual(['dd']);
  });
  it('that did not change need no restart', () => {
    expect(keepStructural(settings(), settings({ cover: { domain: 'example.org' } })).restartNeeded).toEqual([]);
  });
});
