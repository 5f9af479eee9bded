import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/lib/errors.ts';
import type { FleetStatus } from '../../../src/lib/fleet/status.ts';
import type { FleetRotated } from '../../../src/lib/fleet/rotate.ts';
import { loadUser, loadUsers } from '../../../src/lib/users/load.ts';
import { addUser } from '../../../src/lib/users/store.ts';
import { currentSecret } from '../../../src/lib/users/user.ts';
import { fleetIsImpossible, type FleetWorld, type Machine, startFleetWorld } from '../../support/fleet-world.ts';

if (fleetIsImpossible !== undefined) console.warn(`the fleet is not tried: it ${fleetIsImpossible}`);

describe.skipIf(fleetIsImpossible !== undefined)('three machines by ssh', { timeout: 240_000 }, () => {
  let world: FleetWorld;
  let [ams, fra, sgp]: Machine[] = [];
  const mtp: FleetWorld['mtp'] = async (...args) => world.mtp(...args);

  async function json<Result>(status: number, ...args: string[]): Promise<Result> {
    const ended = await mtp(...args, '--json');
    expect(ended, ended.stdout + ended.stderr).toMatchObject({ status });
    return JSON.parse(ended.stdout) as Result;
  }

  async function add(machine: Machine | undefined, ...flags: string[]) {
    const { name = '', paths } = machine ?? {};
    const program = path.join(paths?.state ?? '', '..', 'run');
    return mtp('fleet', 'add', name, '--ssh-config', world.sshConfig, '--mtp', program, ...flags);
  }

  const states = async (status: number): Promise<string[]> =>
    (await json<FleetStatus>(status, 'fleet', 'status')).hosts.map(({ host, state }) => `${host} ${state}`);
  const keyHere = async (name: string): Promise<string> =>
    currentSecret((await loadUser(world.paths, name)).user)?.key ?? '';
  const keysAt = async (machine: Machine | undefined): Promise<string[]> =>
    (await loadUsers((machine as Machine).paths)).users.map((user) => currentSecret(user)?.key ?? '');
  /** What ssh left behind. */
  const leftOver = async (): Promise<string[]> =>
    (await readdir(world.temporary)).filter((name) => name.startsWith('mtp-ssh-'));

  beforeAll(async () => {
    world = await startFleetWorld(['ams', 'fra', 'sgp']);
    [ams, fra, sgp] = world.machines;
    await mtp('user', 'add', 'bob', '--devices', '3', '--tag', 'family');
    for (const machine of world.machines) expect(await machine.mtp('start')).toMatchObject({ status: 0 });
  }, 120_000);
  afterAll(async () => world.close());

  test('a host whose key is not known is refused with the command to run, and not kept', async () => {
    const { status, stderr } = await add(ams);
    expect(status).toBe(EXIT.precondition);
    expect(stderr).toContain('its host key is not known here');
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(`"ssh -F ${world.sshConfig} ams true"`);
    expect((await mtp('fleet', 'list')).stdout).toContain('No other host yet');
    expect(await mtp('fleet', 'status')).toMatchObject({ status: EXIT.precondition });
    for (const machine of world.machines) world.trust(machine);
  });

  test('a destination that ssh would take for an option is refused', async () => {
    const { status, stderr } = await mtp('fleet', 'add', '--', '-oProxyCommand=touch /tmp/x');
    expect([status, stderr]).toEqual([EXIT.usage, expect.stringContaining('cannot be a destination of ssh')]);
  });

  test('hosts that answer are kept, in a file of our own', async () => {
    expect((await add(ams, '--dry-run')).stdout).toContain('Dry run: ams would be added');
    for (const machine of [ams, fra]) expect(await add(machine)).toMatchObject({ status: 0, stderr: '' });
    expect(await add(sgp, '--address', '203.0.113.9')).toMatchObject({ status: 0 });
    expect(await add(sgp)).toMatchObject({ status: EXIT.precondition });
    expect((await mtp('fleet', 'list')).stdout).toMatch(/^HOST .*\nams .*\nfra .*\nsgp +sgp +203\.0\.113\.9/);
    expect(statSync(path.join(world.paths.state, 'fleet.json')).mode & 0o777).toBe(0o600);
  });

  test('users who are missing there are brought, and shown by the proxy there', async () => {
    expect(await states(EXIT.warnings)).toEqual(['this host first', 'ams differs', 'fra differs', 'sgp differs']);
    const dry = await mtp('fleet', 'sync', '--dry-run');
    expect(dry.stdout).toMatch(/^ams: bob missing, me not here\n[^]*Dry run: nothing was changed/);
    // A first start made a user of its own.
    expect((await loadUsers((ams as Machine).paths)).users.map(({ name }) => name)).toEqual(['me']);
    const synced = await mtp('fleet', 'sync', '--yes');
    expect(synced).toMatchObject({ status: 0 });
    expect(synced.stdout).toMatch(
      /ams: done, The running proxy shows it: bob: the secret is accepted and Telegram answers/,
    );
    for (const machine of world.machines) expect(await keysAt(machine)).toEqual([await keyHere('bob')]);
    expect((await loadUser((ams as Machine).paths, 'bob')).user).toMatchObject({
      tags: ['family'],
      limits: { connections: 24 },
    });
    expect(await states(0)).toEqual(['this host first', 'ams in sync', 'fra in sync', 'sgp in sync']);
    expect((await mtp('fleet', 'sync')).stdout).toMatch(/^ams: same, in sync\n/);
  });

  test('who is only there is removed after a question, with a terminal or --yes', async () => {
    await addUser((fra as Machine).paths, { name: 'stranger' });
    const refused = await mtp('fleet', 'sync');
    expect([refused.status, refused.stdout]).toEqual([EXIT.usage, 'fra: stranger not here\n']);
    expect(await mtp('fleet', 'sync', 'fra', '--yes')).toMatchObject({ status: 0 });
    expect((await keysAt(fra)).length).toBe(1);
  });

  test('a rotation reaches all, and each shows that both secrets are accepted', async () => {
    const before = await keyHere('bob');
    const done = await json<FleetRotated>(0, 'fleet', 'rotate', 'bob', '--grace', '1h', '--yes');
    expect(done.hosts.map(({ host, state }) => [host, state])).toEqual([
      ['ams', 'done'],
      ['fra', 'done'],
      ['sgp', 'done'],
    ]);
    for (const { proofs } of done.hosts) {
      expect(proofs.map(({ name, ok }) => [name, ok])).toEqual([
        ['bob (old secret)', true],
        ['bob', true],
      ]);
    }
    expect(await keyHere('bob')).not.toBe(before);
    for (const machine of world.machines) expect(await keysAt(machine)).toEqual([await keyHere('bob')]);
    expect(JSON.stringify(done)).not.toContain(before);
    expect(await states(0)).toContain('sgp in sync');
  });

  test('one that is down is named, and gets it when the command runs again', async () => {
    await fra?.stopSsh();
    const down = await json<FleetRotated>(EXIT.failed, 'fleet', 'rotate', 'bob', '--yes');
    expect(down.hosts.map(({ host, state }) => [host, state])).toEqual([
      ['ams', 'done'],
      ['fra', 'unreachable'],
      ['sgp', 'done'],
    ]);
    expect(down.hosts[1]?.detail).toMatch(/^fra: cannot be reached: .*refused/);
    const key = await keyHere('bob');
    expect(await keysAt(fra)).not.toEqual([key]);
    const status = await mtp('fleet', 'status');
    expect(status.status).toBe(EXIT.failed);
    expect(status.stdout).toMatch(/fra +- +- +- +unreachable/);
    expect(status.stdout).toContain('The new secret of bob is not on fra; go on with: mtp fleet rotate bob');
    // Trying again while it is down makes no third secret.
    expect((await mtp('fleet', 'rotate', 'bob', '--dry-run')).stdout).toMatch(/^This goes on with .* on fra\. Dry run/);
    expect(await mtp('fleet', 'rotate', 'bob', '--yes')).toMatchObject({ status: EXIT.failed });
    expect(await keyHere('bob')).toBe(key);
    await fra?.startSsh();
    const resumed = await json<FleetRotated>(0, 'fleet', 'rotate', 'bob', '--yes');
    expect(resumed).toMatchObject({ resumed: true, hosts: [{ host: 'fra', state: 'done' }] });
    expect([await keyHere('bob'), await keysAt(fra)]).toEqual([key, [key]]);
    expect(await json<FleetStatus>(0, 'fleet', 'status')).toMatchObject({ rotations: [] });
  });

  test('an emergency has the old one refused everywhere', async () => {
    const done = await json<FleetRotated>(0, 'fleet', 'rotate', 'bob', '--emergency', '--yes');
    for (const { proofs } of done.hosts) {
      const refused = proofs.filter(({ name }) => name === 'bob (old secret)');
      expect(refused.length).toBeGreaterThan(0);
      for (const { ok, detail } of refused) expect(`${ok} ${detail}`).toMatch(/^true .*refused/);
    }
    expect(await states(0)).toContain('fra in sync');
  });

  test('every host has a link of its own', async () => {
    const { status, stdout } = await mtp('fleet', 'links', 'bob');
    expect(status).toBe(0);
    const key = await keyHere('bob');
    for (const server of ['ams.test', 'fra.test', '203.0.113.9'])
      expect(stdout).toContain(`server=${server}&port=8443&secret=ee${key}`);
    const one = await mtp('link', 'bob', '--host', 'ams');
    expect(one.stdout).toMatch(new RegExp(`^tg://proxy\\?server=ams\\.test&port=8443&secret=ee${key}`));
    expect(await mtp('link', 'bob', '--host', 'lon')).toMatchObject({ status: EXIT.usage });
  });

  test('a host without a running proxy keeps it, and says so', async () => {
    await sgp?.mtp('stop', '--now');
    const kept = await json<FleetRotated>(EXIT.warnings, 'fleet', 'rotate', 'bob', '--yes');
    expect(kept.hosts.map(({ state }) => state)).toEqual(['done', 'done', 'kept']);
    expect(await keysAt(sgp)).toEqual([await keyHere('bob')]);
    expect((await mtp('fleet', 'status')).stdout).toMatch(/sgp .*not running/);
  });

  test('no secret was ever an argument, and ssh leaves nothing behind', async () => {
    const { users } = await loadUsers(world.paths);
    const keys = users.flatMap(({ secrets }) => secrets.map(({ key }) => key));
    const lines = world.machines.map(({ commandLines }) => commandLines()).join('');
    expect(lines).toContain('user import - --replace');
    for (const key of keys) expect(lines).not.toContain(key);
    expect(await leftOver()).toEqual([]);
  });

  test('a host that is removed is off the list, and keeps its users', async () => {
    expect(await mtp('fleet', 'remove', 'sgp')).toMatchObject({ status: EXIT.usage });
    expect(await mtp('fleet', 'remove', 'sgp', '--yes')).toMatchObject({ status: 0 });
    expect((await mtp('fleet', 'list')).stdout).not.toContain('sgp');
    expect((await keysAt(sgp)).length).toBe(1);
  });
});
