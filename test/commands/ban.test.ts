import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadUsers } from '../../src/lib/users/load.ts';
import { currentSecret } from '../../src/lib/users/user.ts';
import { type Installation, installation } from '../support/installation.ts';
import { acceptsHello, makeHello, Peer } from '../support/raw-client.ts';

/** A balancer on 127.0.0.2 that says whose connections it passes on; the daemon tries itself out from 127.0.0.1. */
const BALANCER = '127.0.0.2';

let at: Installation;
let key: Buffer;

beforeAll(async () => {
  at = await installation();
  await at.mtp('config', 'set', 'listen.proxy_protocol_from', BALANCER);
  await at.mtp('config', 'set', 'guard.ban_time', '10m');
  await at.mtp('start');
  const { users } = await loadUsers(at.paths);
  key = Buffer.from((users[0] && currentSecret(users[0]))?.key ?? '', 'hex');
}, 90_000);
afterAll(async () => at.close());

async function say(address: string, hello: Buffer): Promise<Peer> {
  const peer = await Peer.open({ host: '127.0.0.1', port: at.port }, { localAddress: BALANCER });
  peer.send(Buffer.concat([Buffer.from(`PROXY TCP4 ${address} 192.0.2.1 4711 443\r\n`), hello]));
  return peer;
}

/** Whether somebody with the right secret is let in from an address. */
async function enters(address: string): Promise<boolean> {
  const hello = makeHello({ key });
  const peer = await say(address, hello);
  const accepted = await acceptsHello(peer, hello, key);
  peer.close();
  return accepted;
}

async function run(...args: string[]): Promise<{ status: number | null; out: string; json: Record<string, unknown> }> {
  const { status, stdout, stderr } = await at.mtp(...args);
  const json = args.includes('--json') ? (JSON.parse(stdout) as Record<string, unknown>) : {};
  return { status, out: stdout + stderr, json };
}

describe('bans by hand', { timeout: 120_000 }, () => {
  it('are seen in the running engine, and lifted there', async () => {
    expect(await enters('198.51.100.1')).toBe(true);
    const banned = await run('ban', 'add', '198.51.100.0/24', '--reason', 'tries secrets', '--json');
    expect(banned).toMatchObject({
      status: 0,
      json: { effect: { running: true, seen: [{ network: '198.51.100.0/24', verdict: 'mask' }] } },
    });
    expect([await enters('198.51.100.1'), await enters('198.51.101.1')]).toEqual([false, true]);
    expect((await run('ban', 'list')).out).toMatch(/198\.51\.100\.0\/24\s+mask\s+for good\s+\S+\s+tries secrets/);
    const why = await run('ban', 'why', '198.51.100.77');
    expect(why.out).toContain('198.51.100.77 is shown the web site.');
    expect(why.out).toContain('Engine: the running one says that it is shown the web site, and may open');
    const allowed = await run('allow', 'add', '198.51.100.1');
    expect(allowed.out).toContain('198.51.100.1 is let in whatever it does');
    expect([await enters('198.51.100.1'), await enters('198.51.100.2')]).toEqual([true, false]);
    expect((await run('ban', 'del', '198.51.100.0/24')).out).toContain('Lifted 1 ban.');
    expect(await enters('198.51.100.2')).toBe(true);
    expect((await run('allow', 'del', '198.51.100.1')).status).toBe(0);
    expect((await run('allow', 'list')).out).toBe('No network is on the list.\n');
  });

  it('that would hit this machine, a balancer or nobody are refused and change nothing', async () => {
    for (const [args, status, text] of [
      [['add', '127.0.0.1'], 5, 'this machine'],
      [['add', '127.0.0.0/30', '203.0.113.5'], 5, 'this machine'],
      [['add', '203.0.113.5', 'nonsense'], 64, '"nonsense" is no address'],
      [['add', '203.0.113.5/24'], 64, 'no address and no network'],
      [['del', '203.0.113.5'], 5, 'is not banned'],
      [['del'], 64, 'name networks or give --all'],
      [['add', '203.0.113.5', '--ttl', 'soon'], 64, '--ttl cannot be'],
      [['why', 'nonsense'], 64, 'no address'],
    ] as [string[], number, string][]) {
      const ended = await run('ban', ...args);
      expect([args, ended.status, ended.out.includes(text)]).toEqual([args, status, true]);
    }
    expect((await run('ban', 'list')).out).toBe('Nobody is banned.\n');
  });

  it('come in and out as a file, all or none', async () => {
    const file = path.join(at.home, 'bans.txt');
    await writeFile(file, '# known\n203.0.113.1\n203.0.113.0/28\tdrop\tnever\tscanner\n2001:db8::/48 # six\n');
    expect((await run('ban', 'import', file, '--dry-run')).out).toBe(
      '3 networks would be banned; nothing was changed.\n',
    );
    expect((await run('ban', 'import', file, '--ttl', '1h')).out).toContain('Banned 3 networks.');
    const exported = await at.mtp('ban', 'export');
    expect(exported.stdout.split('\n').map((line) => line.split('\t').slice(0, 2))).toEqual([
      ['203.0.113.1', 'mask'],
      ['203.0.113.0/28', 'drop'],
      ['2001:db8::/48', 'mask'],
      [''],
    ]);
    await run('ban', 'del', '--all', '--yes');
    await writeFile(file, exported.stdout);
    expect((await run('ban', 'import', file)).status).toBe(0);
    expect((await at.mtp('ban', 'export')).stdout).toBe(exported.stdout);
    await writeFile(file, '203.0.113.9\nnot a network\n1.2.3.4\tmaim\n');
    const refused = await run('ban', 'import', file);
    expect([refused.status, refused.out]).toEqual([5, expect.stringContaining('line 2: "not a network"; line 3:')]);
    expect((await run('ban', 'del', '--all', '--yes')).out).toContain('Lifted 3 bans.');
  });
});

describe('whoever tries secrets', { timeout: 120_000 }, () => {
  const attack = async (address: string): Promise<void> => {
    for (let i = 0; i < 8; i++) (await say(address, makeHello({ key: randomBytes(16) }))).close();
  };

  it('is shown the web site within a second, others are not; why is known, and it can be lifted', async () => {
    await attack('198.51.100.66');
    await expect.poll(async () => enters('198.51.100.66'), { timeout: 2000 }).toBe(false);
    expect(await enters('198.51.100.67')).toBe(true);
    const why = await run('ban', 'why', '198.51.100.66', '--json');
    expect(why.json).toMatchObject({
      verdict: 'mask',
      engine: { verdict: 'mask' },
      standing: 1,
      next: { seconds: 1200 },
    });
    expect((await run('ban', 'why', '198.51.100.66')).out).toMatch(/Seen: .* with a wrong key/);
    expect((await run('ban', 'del', '198.51.100.66')).status).toBe(0);
    expect(await enters('198.51.100.66')).toBe(true);
    const simulated = await run('ban', 'simulate', '--since', '1h', '--json');
    expect(simulated.json).toMatchObject({ seen: 1, strangers: [{ network: '198.51.100.66', rule: 'enumeration' }] });
  });

  it('stays banned when the engine is killed, and when the daemon is started again', async () => {
    await run('ban', 'add', '198.51.100.80');
    process.kill(await at.engine(), 'SIGKILL');
    await expect.poll(async () => (await at.status())?.engine.state, { timeout: 20_000 }).toBe('running');
    await expect.poll(async () => enters('198.51.100.81').catch(() => null), { timeout: 20_000 }).toBe(true);
    expect(await enters('198.51.100.80')).toBe(false);
    await at.mtp('stop', '--now');
    await at.mtp('start');
    expect([await enters('198.51.100.80'), await enters('198.51.100.81')]).toEqual([false, true]);
  });
});
