import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getUsage } from '../../../src/lib/control/client.ts';
import type { RotationReport } from '../../../src/lib/rotation/perform.ts';
import { rotateSecrets } from '../../../src/lib/rotation/rotate.ts';
import type { Rotation } from '../../../src/lib/rotation/rotations.ts';
import { loadUser } from '../../../src/lib/users/load.ts';
import { addSecret } from '../../../src/lib/users/secrets.ts';
import { currentSecret, type UserSecret } from '../../../src/lib/users/user.ts';
import { type Installation, installation } from '../../support/installation.ts';
import { connectEe, type Session } from '../../support/raw-client.ts';

let at: Installation;
const open: Session[] = [];

beforeEach(async () => {
  at = await installation();
});
afterEach(async () => {
  for (const session of open.splice(0)) session.peer.close();
  await at.close();
});

async function secretOf(name: string): Promise<UserSecret> {
  return currentSecret((await loadUser(at.paths, name)).user) as UserSecret;
}

/** Open a session that Telegram answers; null where the proxy keeps it out. */
async function enter({ key }: { key: string }): Promise<Session | null> {
  const target = { host: '127.0.0.1', port: at.port };
  const session = await connectEe(target, { key: Buffer.from(key, 'hex'), domain: 'cover.test' }).catch(() => null);
  if (session === null || !(await session.reqPq())) return null;
  open.push(session);
  return session;
}

async function crowd(secret: { key: string }, count: number): Promise<Session[]> {
  const entered = await Promise.all(Array.from({ length: count }, async () => enter(secret)));
  return entered.filter((session) => session !== null);
}

/** How many of them Telegram still answers. */
async function alive(sessions: Session[]): Promise<number> {
  const answers = await Promise.all(sessions.map(async (session) => session.reqPq().catch(() => false)));
  return answers.filter(Boolean).length;
}

async function json<Result>(...args: string[]): Promise<Result> {
  const { status, stdout, stderr } = await at.mtp(...args, '--json');
  expect({ status, stdout, stderr }).toMatchObject({ status: 0 });
  return JSON.parse(stdout) as Result;
}

/** Make a secret older than it is. */
async function ageSecrets(ms: number): Promise<void> {
  const db = new DatabaseSync(at.paths.ledgerFile);
  db.prepare('update secrets set created_at = created_at - ?').run(ms);
  db.close();
}

describe('a rotation of a running proxy', { timeout: 120_000 }, () => {
  test('lets both secrets in, then the new one alone, and cuts only who was told to go', async () => {
    await at.mtp('user', 'add', 'amy');
    await at.mtp('user', 'add', 'bob');
    await at.startSettled();
    const [amy, old] = [await secretOf('amy'), await secretOf('bob')];
    const others = await crowd(amy, 20);
    const bobs = await crowd(old, 6);
    expect([others.length, bobs.length]).toEqual([20, 6]);

    const figures = async () => {
      const { handshakes, closes, connections, bytes } = (await at.status())?.traffic ?? {};
      return { handshakes, closes, bytes, total: connections?.total };
    };
    const before = await figures();
    const rotated = await json<RotationReport>('secret', 'rotate', 'bob', '--grace', '1h');
    expect(await figures()).toEqual(before);
    expect(rotated.effect).toMatchObject({ running: true, connections: { before: 26, cut: 0 } });
    expect(rotated.effect.proofs).toMatchObject([
      { name: 'bob (old secret)', ok: true, detail: 'the secret is accepted and Telegram answers' },
      { name: 'bob', ok: true, detail: 'the secret is accepted and Telegram answers' },
    ]);
    expect(JSON.stringify(rotated)).not.toContain(old.key);
    const fresh = await secretOf('bob');
    expect(fresh.key).not.toBe(old.key);
    // Our own handshakes are nobody's use of a secret.
    const usage = await getUsage(at.paths);
    expect(usage?.rows.some(({ id }) => id === old.id)).toBe(true);
    expect(usage?.rows.some(({ id }) => id === fresh.id)).toBe(false);
    expect(rotated.rotated[0]?.link.secret).toContain(fresh.key);
    expect(await enter(fresh)).not.toBeNull();
    expect(await enter(old)).not.toBeNull();
    expect(await alive([...others, ...bobs])).toBe(26);

    const { rotations } = await json<{ rotations: Rotation[] }>('secret', 'rotations');
    expect(rotations).toMatchObject([
      { name: 'bob', secret: old.id, state: 'retiring', connections: 7, networks: 1, safe: false },
    ]);

    const closed = await json<{ closed: string[]; effect: RotationReport['effect'] }>(
      'secret',
      'close',
      'bob',
      '--yes',
    );
    expect(closed.closed).toEqual([old.id]);
    expect(closed.effect.proofs).toMatchObject([
      { name: 'bob (old secret)', ok: true, detail: 'the secret is refused' },
    ]);
    expect(await enter(old)).toBeNull();
    expect(await alive([...others, ...bobs])).toBe(26);

    const cut = await json<{ effect: RotationReport['effect'] }>('secret', 'close', 'bob', '--now', '--yes');
    expect(cut.effect.connections?.cut).toBe(7);
    expect(await alive(bobs)).toBe(0);
    expect(await alive(others)).toBe(20);
    expect(await enter(fresh)).not.toBeNull();
    expect(await enter(old)).toBeNull();
    expect((await at.status())?.traffic?.handshakes.stale).toBe(2);
    expect(await json('secret', 'close', 'bob', '--now', '--yes')).toMatchObject({ closed: [] });
    const after = await json<{ rotations: Rotation[] }>('secret', 'rotations', '--all');
    expect(after.rotations).toMatchObject([{ name: 'bob', state: 'revoked', why: 'closed' }]);
    expect(after.rotations[0]?.tries).toBe(2);
    await expect
      .poll(async () => at.log(), { timeout: 25_000, interval: 500 })
      .toMatch(new RegExp(`stale_link.*bob.*${old.id}|stale_link.*${old.id}.*bob`));
  });

  test.each(['dd', 'plain'])('in %s mode, too, our own handshakes are in no figures and nobody’s use', async (mode) => {
    expect((await at.mtp('config', 'set', 'protocol.modes', mode)).status).toBe(0);
    await at.mtp('user', 'add', 'bob');
    await at.startSettled();
    const old = await secretOf('bob');
    const rotated = await json<RotationReport>('secret', 'rotate', 'bob');
    expect(rotated.effect.proofs.map(({ detail }) => detail)).toEqual(
      Array(2).fill('the secret is accepted and Telegram answers'),
    );
    const closed = await json<{ effect: RotationReport['effect'] }>('secret', 'close', 'bob', '--yes');
    expect(closed.effect.proofs).toMatchObject([{ ok: true, detail: 'Telegram does not answer with this secret' }]);
    expect((await getUsage(at.paths))?.rows).toEqual([]);
    const { handshakes = {}, connections, bytes } = (await at.status())?.traffic ?? {};
    expect(Object.entries(handshakes).filter(([, count]) => count > 0)).toEqual([]);
    expect([connections?.total, bytes]).toEqual([0, { up: 0, down: 0 }]);
    const { rotations } = await json<{ rotations: Rotation[] }>('secret', 'rotations', '--all');
    expect(rotations).toMatchObject([{ secret: old.id, lastSeenAt: null, tries: 0, why: 'never used' }]);
  });

  test('of two secrets of a user one is revoked, by its id and with a reason: its clients alone are cut', async () => {
    await at.mtp('user', 'add', 'bob');
    await at.mtp('secret', 'add', 'bob');
    await at.startSettled();
    const [first, second] = (await loadUser(at.paths, 'bob')).user.secrets as [UserSecret, UserSecret];
    const [ones, others] = [await crowd(first, 3), await crowd(second, 2)];
    const dry = await at.mtp('secret', 'revoke', first.id, '--now', '--dry-run');
    expect(dry).toMatchObject({ status: 0 });
    expect(dry.stdout).toContain(`${first.id}, active: 3 connections from 1 network`);
    expect(await alive([...ones, ...others])).toBe(5);
    const done = await json<{ closed: string[]; effect: RotationReport['effect'] }>(
      'secret',
      'revoke',
      first.id,
      ...['--now', '--yes', '--reason', 'posted in a group'],
    );
    expect(done.closed).toEqual([first.id]);
    expect(done.effect.proofs).toMatchObject([{ ok: true, detail: 'the secret is refused' }]);
    expect(done.effect.connections?.cut).toBe(3);
    expect([await alive(ones), await alive(others)]).toEqual([0, 2]);
    expect(await enter(first)).toBeNull();
    expect(await enter(second)).not.toBeNull();
    const { rotations } = await json<{ rotations: Rotation[] }>('secret', 'rotations', '--all');
    expect(rotations).toMatchObject([
      { secret: first.id, reason: 'posted in a group', why: 'closed: posted in a group' },
    ]);
    expect((await at.mtp('secret', 'list')).stdout).toMatch(new RegExp(`${first.id} +revoked .*posted in a group`));
    expect((await at.mtp('secret', 'show', 'bob', '--id', first.id)).stdout).toMatch(
      /revoked, of .*\(posted in a group\)/,
    );
  });

  test('an emergency cuts at once, and nobody else', async () => {
    await at.mtp('user', 'add', 'amy');
    await at.mtp('user', 'add', 'bob');
    await at.startSettled();
    const [amy, old] = [await secretOf('amy'), await secretOf('bob')];
    const [others, bobs] = [await crowd(amy, 5), await crowd(old, 3)];
    expect((await at.mtp('secret', 'rotate', 'bob', '--emergency')).status).toBe(64);
    const done = await json<RotationReport>('rotate', 'bob', '--emergency', '--yes');
    expect(done.effect.connections?.cut).toBe(3);
    expect(await alive(bobs)).toBe(0);
    expect(await alive(others)).toBe(5);
    expect(await enter(old)).toBeNull();
    expect(await enter(await secretOf('bob'))).not.toBeNull();
  });

  test('a secret in use is removed only when nobody uses it any more, or by force', async () => {
    await at.mtp('user', 'add', 'bob');
    await at.mtp('secret', 'add', 'bob');
    await at.startSettled();
    const [first, second] = (await loadUser(at.paths, 'bob')).user.secrets as [UserSecret, UserSecret];
    const ones = await crowd(first, 2);
    const others = await crowd(second, 2);
    const remove = async (id: string, ...args: string[]) =>
      at.mtp('secret', 'remove', 'bob', '--yes', '--id', id, ...args);
    const refused = await remove(first.id);
    expect(refused).toMatchObject({ status: 5 });
    expect(refused.stderr).toContain('of bob is used by 2 connections');
    expect(await remove(first.id, '--drain', '1s')).toMatchObject({ status: 75 });
    expect(await enter(first)).toBeNull();
    expect(await alive(ones)).toBe(2);
    const drained = remove(first.id, '--drain', '1m');
    setTimeout(() => ones.forEach((session) => session.peer.close()), 3000);
    expect((await drained).status).toBe(0);
    expect((await remove(second.id, '--force')).status).toBe(0);
    expect(await alive(others)).toBe(0);
    expect((await loadUser(at.paths, 'bob')).user.secrets).toEqual([]);
  });

  test('a user who is as many as allowed is recognised all the same', async () => {
    await at.mtp('user', 'add', 'bob', '--devices', '1');
    await at.startSettled();
    expect(await crowd(await secretOf('bob'), 8)).toHaveLength(8);
    const { effect } = await json<RotationReport>('secret', 'rotate', 'bob');
    expect(effect.proofs.map(({ ok }) => ok)).toEqual([true, true]);
    expect(effect.proofs[0]?.detail).toContain('a limit of the user leaves no room');
  });

  test('time does the rest: what a killed command left, the end of a grace, and secrets that are too old', async () => {
    await at.mtp('user', 'add', 'bob');
    await at.mtp('user', 'add', 'eve', '--rotate-after', '30d');
    const hooks = path.join(at.home, 'hooks.d');
    await mkdir(hooks, { mode: 0o700 });
    await writeFile(path.join(hooks, 'on-rotate'), `#!/bin/sh\ncat >> ${at.home}/told\n`);
    await chmod(path.join(hooks, 'on-rotate'), 0o700);
    await at.startSettled();
    const old = await secretOf('bob');
    // As a command that is killed between the ledger and the daemon.
    await rotateSecrets(
      at.paths,
      { names: ['bob'], olderThanMs: null },
      { graceMs: 0, limitNetworks: null },
      'command',
    );
    const fresh = await secretOf('bob');
    await expect.poll(async () => enter(fresh), { timeout: 25_000, interval: 500 }).not.toBeNull();
    await expect.poll(async () => enter(old), { timeout: 25_000, interval: 500 }).toBeNull();
    const eve = await secretOf('eve');
    await ageSecrets(31 * 86_400_000);
    expect((await at.mtp('reload')).status).toBe(0);
    await expect.poll(async () => (await secretOf('eve')).id, { timeout: 25_000, interval: 500 }).not.toBe(eve.id);
    const told = async (): Promise<string> => readFile(path.join(at.home, 'told'), 'utf8').catch(() => '');
    await expect.poll(told, { timeout: 25_000, interval: 500 }).toContain('"reason":"policy"');
    type Message = { rotations: { user: { name: string }; links: { secret: string }[] }[] };
    // The daemon tells of what the killed command has not told, too.
    const messages = (await told()).trim().split('\n');
    const [first, second, ...more] = messages.map((line) => (JSON.parse(line) as Message).rotations);
    expect([first, second]).toMatchObject([[{ user: { name: 'bob' } }], [{ user: { name: 'eve' } }]]);
    expect(more).toEqual([]);
    expect(first?.[0]?.links[0]?.secret).toContain(fresh.key);
    expect(second?.[0]?.links[0]?.secret).toContain((await secretOf('eve')).key);
    expect(await enter(eve)).not.toBeNull();
    expect((await secretOf('bob')).id).toBe(fresh.id);
  });
});

describe('without a proxy', { timeout: 120_000 }, () => {
  test('an old secret whose grace ended meanwhile is refused from the first moment', async () => {
    await at.mtp('user', 'add', 'bob');
    const old = await secretOf('bob');
    const { stdout } = await at.mtp('secret', 'rotate', 'bob', '--grace', '0s');
    expect(stdout).toContain('bob has a new secret. The old one can be used until');
    expect(stdout).toContain('No proxy is running here');
    expect((await at.mtp('secret', 'rotations')).stdout).toMatch(
      /bob +retiring +in 0s +\? +never +- +no: not known, no proxy runs/,
    );
    await at.mtp('start');
    expect(await enter(old)).toBeNull();
    expect(await enter(await secretOf('bob'))).not.toBeNull();
  });

  test('a hook that fails is said to, is told again, and hears of everything in the end', async () => {
    await at.mtp('user', 'add', 'bob');
    const hook = path.join(at.home, 'hooks.d', 'on-rotate');
    await mkdir(path.dirname(hook), { mode: 0o700 });
    await writeFile(hook, '#!/bin/sh\nexit 3\n');
    await chmod(hook, 0o700);
    const { stdout } = await at.mtp('secret', 'rotate', 'bob');
    expect(stdout).toContain('The hook on-rotate failed: it ended with status 3.');
    expect(stdout).toContain('Nobody tells it again until the proxy runs; at once: mtp secret announce');
    const { announcements } = await json<{ announcements: object[] }>('secret', 'rotations');
    expect(announcements).toMatchObject([{ tries: 1, failure: 'it ended with status 3', secrets: [{ name: 'bob' }] }]);
    expect((await at.mtp('secret', 'rotations')).stdout).toContain('has not been told of 1 new secret (bob)');
    const again = await at.mtp('secret', 'announce');
    expect(again).toMatchObject({ status: 1, stdout: '' });
    expect(again.stderr).toContain('on-rotate has not been told of 1 new secret: it ended with status 3');
    await at.mtp('start');
    await expect
      .poll(async () => (await at.status())?.announcements.failure, { timeout: 25_000 })
      .toContain('status 3');
    expect((await at.mtp('status')).stdout).toContain('on-rotate fails: it ended with status 3');
    await writeFile(hook, `#!/bin/sh\ncat >> ${at.home}/told\n`);
    const told = await at.mtp('secret', 'announce');
    expect(told).toMatchObject({ status: 0, stdout: 'The hook on-rotate was told of 1 new secret: bob.\n' });
    expect(await readFile(path.join(at.home, 'told'), 'utf8')).toContain((await secretOf('bob')).key);
    expect((await json<{ secrets: number }>('secret', 'announce')).secrets).toBe(0);
  });

  test('what is unclear is refused, a dry run changes nothing, and all of an age can be meant', async () => {
    for (const name of ['amy', 'bob', 'cat']) await at.mtp('user', 'add', name);
    for (const wrong of [
      [],
      ['bob', '--all'],
      ['bob', '--grace', 'soon'],
      ['--update-env', '--all'],
      ['bob', 'x.env'],
    ]) {
      expect(await at.mtp('secret', 'rotate', ...wrong), wrong.join(' ')).toMatchObject({ status: 64, stdout: '' });
    }
    expect((await at.mtp('secret', 'rotate', 'nobody')).status).toBe(1);
    expect((await at.mtp('secret', 'close', 'bob', '--yes')).status).toBe(5);
    const before = await secretOf('bob');
    const dry = await at.mtp('secret', 'rotate', '--all', '--dry-run');
    expect(dry.stdout).toContain('This replaces the secrets of 3 users: amy, bob, cat');
    expect((await secretOf('bob')).id).toBe(before.id);
    expect((await at.mtp('secret', 'rotate', '--older-than', '1d', '--yes')).stdout).toContain('Nobody has a secret');
    await ageSecrets(2 * 86_400_000);
    await at.mtp('secret', 'rotate', 'amy');
    const { planned } = await json<{ planned: string[] }>('secret', 'rotate', '--older-than', '1d', '--yes');
    expect(planned).toEqual(['bob', 'cat']);
  });

  test('more secrets than a user may have are refused, with what to close first', async () => {
    await at.mtp('user', 'add', 'bob');
    const oldest = await secretOf('bob');
    for (let more = 1; more < 16; more++) await addSecret(at.paths, { name: 'bob' });
    const full = await at.mtp('secret', 'add', 'bob');
    expect(full).toMatchObject({ status: 5, stdout: '' });
    expect(full.stderr).toContain('bob would have 17 secrets that let somebody in, and 16 are the most');
    expect(full.stderr).toContain(`mtp secret close bob --id ${oldest.id}`);
    expect((await at.mtp('secret', 'rotate', 'bob')).status).toBe(5);
    expect((await loadUser(at.paths, 'bob')).user.secrets.map(({ state }) => state)).toEqual(Array(16).fill('active'));
    await at.mtp('secret', 'close', 'bob', '--id', oldest.id, '--yes');
    expect((await at.mtp('secret', 'rotate', 'bob')).status).toBe(0);
    const again = await at.mtp('secret', 'rotate', 'bob');
    expect(again.status).toBe(5);
    expect(again.stderr).toContain('mtp secret rotations shows who uses them');
    expect((await at.mtp('secret', 'rotate', 'bob', '--emergency', '--yes')).status).toBe(0);
    expect((await at.mtp('secret', 'close', 'bob', '--now', '--yes')).status).toBe(0);
  });

  test('who is kept out is said to be, and why, when the secret is replaced', async () => {
    await at.mtp('user', 'add', 'bob');
    await at.mtp('user', 'add', 'eve', '--expires', '2001-01-01');
    await at.mtp('user', 'disable', 'bob');
    const bob = await at.mtp('secret', 'rotate', 'bob');
    expect(bob.stdout).toContain('bob has a new secret, but nobody gets in with it or an old one: bob is disabled.');
    expect(bob.stdout).toContain('Change that with: mtp user enable bob');
    expect(bob.stdout).not.toMatch(/can be used until|secret rotations/);
    const eve = await at.mtp('secret', 'rotate', 'eve');
    expect(eve.stdout).toContain('eve expired on 2001-01-01.');
    expect(eve.stdout).toContain('Change that with: mtp user set eve --expires 30d');
    const all = await at.mtp('secret', 'rotate', '--all', '--yes');
    expect(all.stdout).toContain('Not everybody gets in, with neither: bob is disabled, eve expired on 2001-01-01.');
  });

  test('one secret can be closed, the last one not unsaid, and once closed it stays so', async () => {
    await at.mtp('user', 'add', 'bob');
    const { id } = await secretOf('bob');
    const close = async (...more: string[]) => at.mtp('secret', 'close', 'bob', '--id', id, ...more);
    expect((await close()).stderr).toContain('bob has no other, and cannot connect then.');
    const dry = await close('--dry-run');
    expect(dry.stdout).toContain(`${id}, active: no proxy runs, so nobody is connected`);
    expect(dry.stdout).toContain('bob has no other, and cannot connect then.');
    for (const wrong of ['', '  ', 'two\nlines', 'x'.repeat(121)]) {
      expect((await close('--yes', '--reason', wrong)).status, wrong).toBe(64);
    }
    expect((await secretOf('bob')).state).toBe('active');
    expect((await close('--yes')).stdout).toContain('bob has no open secret now.');
    expect(await close('--yes')).toMatchObject({ status: 0, stdout: `The secret ${id} of bob is closed already.\n` });
    expect((await close('--now', '--yes', '--reason', 'lost phone')).stdout).toContain(
      'Closed 1 secret of bob (lost phone).',
    );
    expect((await close('--now', '--yes')).stdout).toContain('is closed already');
  });

  test('the new secret goes into a .env file', async () => {
    await at.mtp('user', 'add', 'bob');
    const file = path.join(at.home, 'prod.env');
    await writeFile(file, `# kept\r\nMTG_SECRET=${randomBytes(16).toString('hex')}\r\nOTHER=1\r\n`, { mode: 0o600 });
    expect((await at.mtp('secret', 'rotate', 'bob', file, '--update-env')).status).toBe(0);
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/^# kept\r\nMTG_SECRET=ee[0-9a-f]+\r\nOTHER=1\r\n$/);
    expect(text).toContain((await secretOf('bob')).key);
    const before = await secretOf('bob');
    const nowhere = path.join(at.home, 'missing', 'x.env');
    expect((await at.mtp('secret', 'rotate', 'bob', nowhere, '--update-env')).status).toBe(5);
    expect((await secretOf('bob')).id).toBe(before.id);
  });
});
