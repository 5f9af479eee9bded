import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { markInForce } from '../../../src/lib/firewall/mark.ts';
import { ensurePlace } from '../../../src/lib/firewall/place.ts';
import { systemLayout } from '../../../src/lib/init/layout.ts';
import { exec } from '../../../src/lib/system/exec.ts';
import { ensureDirectory } from '../../../src/lib/system/files.ts';
import { runUninstall } from '../../../src/lib/uninstall/uninstall.ts';
import { killMarked } from '../../support/left-over.ts';
import { has, hostsArePossible, SERVER, twoHosts, type TwoHosts } from '../../support/two-hosts.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/apply.ts', import.meta.url));
const RULES = 'nft -s list table inet mtp 2>/dev/null || :';

let home: string;
let hosts: TwoHosts | undefined;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-wall-'));
});
afterEach(async () => {
  await hosts?.close();
  await killMarked(home);
  await rm(home, { recursive: true, force: true });
});

async function settings(text: string): Promise<void> {
  await writeFile(path.join(home, 'config.toml'), text, { mode: 0o600 });
}

async function start(): Promise<TwoHosts> {
  hosts = await twoHosts(home);
  await hosts.listen(22, 443);
  await settings('');
  return hosts;
}

/** Command lines of what waits to take something back. */
async function timers(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(path.join(home, 'firewall')));
}

async function applyAnd(answer: string): Promise<string> {
  const child = hosts?.start(process.execPath, [FIXTURE, home, 'nftables', '30', answer]);
  const [line] = (await once(child?.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return line.toString().trim();
}

describe.skipIf(!hostsArePossible || !has('nft'))('a change', { timeout: 90_000 }, () => {
  it('is kept by a yes, and taken back by a no, by silence and by Ctrl-C', async () => {
    const { server, mtp } = await start();
    expect(await applyAnd('no')).toBe('6');
    expect(await applyAnd('late')).toBe('6');
    expect(await applyAnd('ctrl-c')).toBe('130');
    expect(server(RULES)).toBe('');
    expect(await applyAnd('yes')).toBe('confirmed');
    const rules = server(RULES);
    expect(rules).toContain('ct count over 100');
    await settings('[firewall]\nper_source = 7\n');
    expect(await applyAnd('no')).toBe('6');
    expect(server(RULES)).toBe(rules);
    // Nothing waits, and nothing is left of it.
    const { status } = await mtp('firewall', 'confirm', '--json');
    expect(status).toBe(5);
    expect(await readdir(path.join(home, 'firewall'))).toEqual(['in-force.json']);
  });

  it('waits where nobody can be asked, and comes to its end without mtp', async () => {
    const { server, mtp } = await start();
    const applied = await mtp('firewall', 'apply', '--yes', '--within', '15', '--json');
    expect([applied.status, JSON.parse(applied.stdout)]).toEqual([
      2,
      expect.objectContaining({
        state: 'pending',
        ssh: [expect.objectContaining({ ok: true, detail: 'SSH-2.0-test' })],
      }),
    ]);
    expect(server(RULES)).toContain('chain incoming');
    // What root runs later nobody else may read or write.
    const dir = path.join(home, 'firewall');
    const [change = ''] = (await readdir(dir)).filter((name) => name.startsWith('change-'));
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect((await stat(path.join(dir, change, 'before.nft'))).mode & 0o777).toBe(0o600);
    const second = await mtp('firewall', 'apply', '--yes');
    expect([second.status, second.stderr]).toEqual([75, expect.stringContaining('waits to be confirmed')]);
    await expect.poll(() => server(RULES), { timeout: 40_000, interval: 500 }).toBe('');
    expect((await mtp('firewall', 'confirm')).status).toBe(6);
    const status = await mtp('firewall', 'status');
    expect([status.status, status.stdout]).toEqual([1, expect.stringContaining('was not confirmed')]);
  });

  it('that is confirmed has no timer any more', async () => {
    const { server, mtp } = await start();
    await mtp('firewall', 'apply', '--yes', '--within', '60');
    expect(await timers()).not.toEqual([]);
    expect((await mtp('firewall', 'confirm')).status).toBe(0);
    await expect.poll(timers, { timeout: 20_000 }).toEqual([]);
    expect(server(RULES)).toContain('chain incoming');
  });

  it('keeps bans, and what it counted, where only other numbers change', async () => {
    const { server, mtp } = await start();
    await mtp('firewall', 'apply', '--yes', '--confirm-by', 'probe');
    server(`nft add element inet mtp ban4 '{ 10.77.0.5 timeout 1h }'
      nft add element inet mtp ban6 '{ fd78:: timeout 1h }'
      nft add element inet mtp bannet4 '{ 10.77.0.6/31 timeout 1h }'`);
    const banned = async (): Promise<string[]> => {
      const tried = [
        { from: '10.77.0.5', host: SERVER.v4 },
        { from: '10.77.0.7', host: SERVER.v4 },
        { from: 'fd78::8', host: SERVER.v6 },
        { from: '10.77.0.4', host: SERVER.v4 },
        { from: 'fd77::4', host: SERVER.v6 },
      ];
      const made = await Promise.all(tried.map(async (one) => hosts?.connect({ ...one, port: 443, count: 1 })));
      return made.map((one) => {
        one?.close();
        return Object.keys(one?.tally ?? {}).join();
      });
    };
    const expected = ['silence', 'silence', 'silence', 'open', 'open'];
    expect(await banned()).toEqual(expected);
    const dropped = (): number => Number(/packets (\d+)/.exec(server('nft list counter inet mtp banned'))?.[1]);
    const before = dropped();
    expect(before).toBeGreaterThan(2);
    await settings('[firewall]\nper_source = 7\nrate = "9/second"\nallow = ["10.77.0.9"]\n');
    const { status } = await mtp('firewall', 'apply', '--yes', '--confirm-by', 'probe');
    expect(status).toBe(0);
    expect(server(RULES)).toContain('ct count over 7');
    expect(dropped()).toBeGreaterThanOrEqual(before);
    expect(await banned()).toEqual(expected);
    // Whoever changes the rules is banned by none of them, for a day.
    expect(server('nft list set inet mtp operator4')).toContain('10.77.0.9');
    // A rollback brings the bans of before back, too.
    await settings('');
    await mtp('firewall', 'apply', '--yes');
    await mtp('firewall', 'rollback');
    expect(await banned()).toEqual(expected);
    expect(server(RULES)).toContain('ct count over 7');
  });

  it('names a rule of somebody else in our table, puts that right, and never touches SSH', async () => {
    const { server, mtp } = await start();
    await mtp('firewall', 'apply', '--yes', '--confirm-by', 'probe');
    server('nft insert rule inet mtp incoming tcp dport 22 drop');
    const status = await mtp('firewall', 'status');
    expect(status.status).toBe(1);
    expect(status.stdout).toContain('+   tcp dport 22 drop');
    expect((await mtp('firewall', 'apply', '--yes', '--confirm-by', 'probe')).status).toBe(0);
    expect((await mtp('firewall', 'status', '--json')).status).toBe(2);
    // Ports of SSH are never ours.
    await settings('[firewall]\nadmin_ports = [22]\n');
    const refused = await mtp('firewall', 'apply', '--yes', '--confirm-by', 'probe');
    expect([refused.status, refused.stderr]).toEqual([5, expect.stringContaining('lock yourself out')]);
  });

  it('is loaded again when the machine starts, as it was confirmed last', async () => {
    const { server, mtp } = await start();
    const root = path.join(home, 'root');
    await mkdir(path.join(root, 'etc/systemd/system'), { recursive: true });
    const foreign = `nft -f - <<'EOF'
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    tcp dport 22 accept
    counter reject
  }
}
EOF
`;
    server(foreign);
    const unit = path.join(root, 'etc/systemd/system/mtp-firewall.service');
    expect((await mtp('firewall', 'persist', '--prefix', root)).status).toBe(5);
    await mtp('firewall', 'apply', '--yes');
    expect((await mtp('firewall', 'persist', '--prefix', root)).status).toBe(75);
    await mtp('firewall', 'rollback');
    await mtp('firewall', 'apply', '--yes', '--confirm-by', 'probe');
    const dry = await mtp('firewall', 'persist', '--prefix', root, '--dry-run');
    expect([dry.status, existsSync(unit)]).toEqual([0, false]);
    const persisted = await mtp('firewall', 'persist', '--prefix', root);
    expect([persisted.status, persisted.stderr]).toEqual([0, '']);
    expect((await mtp('firewall', 'status', '--prefix', root)).status).toBe(0);
    // What is applied later is what comes back.
    await settings('[firewall]\nper_source = 11\n');
    await mtp('firewall', 'apply', '--yes', '--confirm-by', 'probe');
    expect((await mtp('firewall', 'status', '--prefix', root)).status).toBe(0);
    // As nftables.service does it when the machine starts, and the unit behind it.
    server(`nft flush ruleset\n${foreign}`);
    expect((await mtp('firewall', 'status', '--prefix', root)).status).toBe(1);
    const [, loader = ''] = /^ExecStart=\/bin\/sh (.*)$/m.exec(await readFile(unit, 'utf8')) ?? [];
    server(`sh ${loader}; sh ${loader}`);
    expect((await mtp('firewall', 'status', '--prefix', root)).status).toBe(0);
    expect(server(RULES)).toContain('ct count over 11');
    const { tally, close } = (await hosts?.connect({ from: '10.77.0.4', host: SERVER.v4, port: 443, count: 1 })) ?? {};
    close?.();
    expect(tally).toEqual({ open: 1 });
    expect((await mtp('firewall', 'remove', '--yes', '--prefix', root)).status).toBe(0);
    expect([existsSync(unit), existsSync(path.join(home, 'firewall'))]).toEqual([false, false]);
    expect(server('nft list tables').trim()).toBe('table inet filter');
  });
});

describe.skipIf(process.getuid?.() !== 0)('the place of what root runs', () => {
  it('is nothing that another user could change', async () => {
    await ensurePlace(path.join(home, 'good'));
    await chown(home, 65_534, 65_534);
    await expect(ensurePlace(path.join(home, 'good'))).rejects.toMatchObject({ code: 'FIREWALL_PLACE', exit: 5 });
    await chown(home, 0, 0);
    await chmod(home, 0o777);
    await expect(ensurePlace(path.join(home, 'good'))).rejects.toMatchObject({ code: 'FIREWALL_PLACE' });
  });
});

it('an uninstall asks for the rules first', async () => {
  const layout = systemLayout(home);
  await ensureDirectory(layout.paths.firewall);
  await markInForce(layout.paths.firewall);
  await ensureDirectory(path.dirname(layout.lock));
  await expect(runUninstall([], layout, exec)).rejects.toMatchObject({ code: 'FIREWALL_IN_FORCE', exit: 5 });
});
