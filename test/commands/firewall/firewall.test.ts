import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { has, hostsArePossible } from '../../support/two-hosts.ts';

const BIN = fileURLToPath(new URL('../../../bin/dev.js', import.meta.url));

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-wall-'));
});
afterEach(async () => rm(home, { recursive: true }));

/** `mtp firewall` where nothing of this machine is seen or changed. */
function firewall(words: string[], { through = [] as string[] } = {}) {
  const args = ['-n', ...through, process.execPath, BIN, 'firewall', ...words, '--home', home];
  return spawnSync('unshare', args, {
    encoding: 'utf8',
    input: '',
    env: { ...process.env, NODE_NO_WARNINGS: '1', NO_COLOR: '1' },
  });
}

describe.skipIf(!hostsArePossible || !has('nft', 'iptables'))('mtp firewall', { timeout: 60_000 }, () => {
  it('plans in 80 columns, and changes nothing', () => {
    for (const words of [
      ['plan'],
      ['plan', '--rules'],
      ['plan', '--rules', '--backend', 'iptables'],
      ['apply', '--dry-run'],
    ]) {
      const { status, stdout } = firewall(words);
      expect(status).toBe(0);
      expect(stdout).toContain('25/minute');
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    }
    expect(existsSync(path.join(home, 'firewall'))).toBe(false);
  });

  it('asks nothing where nobody can answer', () => {
    const { status, stderr } = firewall(['apply']);
    expect([status, stderr]).toEqual([64, expect.stringContaining('Add --yes')]);
    expect(firewall(['remove', '--json']).status).toBe(0);
  });

  it('is for root', () => {
    for (const verb of ['plan', 'apply', 'confirm', 'rollback', 'status', 'lint', 'persist', 'remove']) {
      const { status, stdout } = firewall([verb, '--json'], {
        through: ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'],
      });
      expect([verb, status, JSON.parse(stdout)]).toEqual([
        verb,
        4,
        { error: expect.objectContaining({ code: 'NEEDS_ROOT' }) as object },
      ]);
    }
  });

  it.each<[string, string[], number, string]>([
    ['', ['confirm'], 5, 'FIREWALL_NOTHING_PENDING'],
    ['', ['rollback'], 5, 'FIREWALL_NOTHING_PENDING'],
    ['', ['persist'], 5, 'FIREWALL_NOT_APPLIED'],
    ['[firewall]\nrate = "fast"\n', ['plan'], 5, 'CONFIG_INVALID'],
    ['[listen]\nport = 443\n[firewall]\nadmin_ports = [443]\n', ['plan'], 5, 'FIREWALL_PORT_TWICE'],
    ['', ['lint', '/nonexistent'], 5, 'FILE_ENOENT'],
    ['', ['plan', '--backend', 'pf'], 64, 'USAGE'],
    ['', ['apply', '--yes', '--within', '1'], 64, 'USAGE'],
  ])('with %j, %j ends with %d and %s', async (settings, words, exit, code) => {
    await writeFile(path.join(home, 'config.toml'), settings, { mode: 0o600 });
    const { status, stdout } = firewall([...words, '--json']);
    expect([status, JSON.parse(stdout)]).toEqual([exit, { error: expect.objectContaining({ code, exit }) as object }]);
  });

  it('says what is missing where there is neither nftables nor iptables', () => {
    const { status, stderr } = firewall(['plan'], { through: ['env', 'PATH=/nonexistent'] });
    expect([status, stderr]).toEqual([5, expect.stringContaining('apt install nftables')]);
  });

  it('names faults of a recipe without rights', async () => {
    const file = path.join(home, 'recipe.sh');
    await writeFile(file, 'iptables -P INPUT DROP\n');
    const { status, stdout } = firewall(['lint', file, '--ssh-port', '2222', '--json']);
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      file,
      findings: [{ id: 'ssh-cut', severity: 'error', line: null }, {}, {}, {}, {}],
    });
    await writeFile(file, 'ufw allow ssh; ufw enable\n');
    expect(firewall(['lint', file]).stdout).toContain('no fault found');
  });
});
