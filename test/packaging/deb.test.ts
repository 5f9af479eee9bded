import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../src/lib/system/hash.ts';
import { cover } from '../lib/probe/servers.ts';
import { packageJson, ROOT } from '../repository/tree.ts';
import { debianIsImpossible, type DebianRoot, makeDebianRoot } from '../support/debian-root.ts';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import { killMarked, markOf } from '../support/left-over.ts';
import { freePort } from '../support/load.ts';

if (debianIsImpossible !== undefined) console.warn(`the Debian package is not tried: it ${debianIsImpossible}`);

const BUILD_MS = 400_000;
const { version } = packageJson() as unknown as { version: string };

/** Build the package into a directory, as `npm run deb` does. */
function build(out: string, env: NodeJS.ProcessEnv = {}): string {
  const command = [path.join(ROOT, 'packaging/deb/main.ts'), '--out', out, '--fast'];
  return execFileSync(process.execPath, command, {
    cwd: out,
    env: { ...process.env, SOURCE_DATE_EPOCH: '1800000000', ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

describe.skipIf(debianIsImpossible !== undefined)('the Debian package', { timeout: BUILD_MS }, () => {
  let dir: string;
  let deb: string;
  let debian: DebianRoot | null;
  let dc: FakeDc;
  let site: Awaited<ReturnType<typeof cover>>;
  let env: NodeJS.ProcessEnv;

  const root = (): DebianRoot => debian as DebianRoot;
  const inside = async (...command: string[]) => root().run(command, env);
  const json = async (...command: string[]): Promise<unknown> =>
    JSON.parse((await inside('mtp', ...command, '--json')).stdout);
  const there = (file: string): string => path.join(root().directory, file);
  const sum = (file: string): string => sha256(readFileSync(file));

  beforeAll(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-package-'));
    [dc, site, debian] = [await startFakeDc(), await cover({}), await makeDebianRoot()];
    if (debian === null) console.warn('the Debian package is not installed: no mirror of Debian answers');
    env = {
      ...Object.fromEntries([1, 2, 3, 4, 5, 203].map((one) => [`MTP_TELEGRAM_DC_${one}`, `127.0.0.1:${dc.port}`])),
      MTP_COVER_DOMAIN: 'cover.test',
      MTP_COVER_TARGET: `127.0.0.1:${site.port}`,
      MTP_LISTEN_PORT: String(await freePort()),
      ...markOf(dir),
    };
    deb = build(dir);
  }, BUILD_MS);
  afterAll(async () => {
    await killMarked(dir);
    debian?.close();
    await Promise.all([dc.close(), site.close()]);
    await rm(dir, { recursive: true });
  });

  test('has the same bytes from the same tree, wherever and whenever it is built', async () => {
    expect(path.basename(deb)).toMatch(new RegExp(`^mtp_${version}_(amd64|arm64)\\.deb$`));
    const elsewhere = await mkdtemp(path.join(dir, 'elsewhere-'));
    const umask = process.umask(0o077);
    try {
      const again = build(elsewhere, { TMPDIR: elsewhere, TZ: 'Asia/Tokyo', LC_ALL: 'C.UTF-8' });
      expect(sum(again)).toBe(sum(deb));
    } finally {
      process.umask(umask);
    }
  });

  test.skipIf(spawnSync('lintian', ['--version']).status !== 0)('has no errors by lintian', () => {
    const { stdout } = spawnSync('lintian', [deb], { encoding: 'utf8' });
    expect(stdout.split('\n').filter((line) => line.startsWith('E:'))).toEqual([]);
    expect(stdout).toContain('W: mtp: no-manual-page');
  });

  test('is installed on a bare Debian, and runs nothing by itself', async ({ skip }) => {
    skip(debian === null);
    execFileSync('cp', [deb, there('srv/mtp.deb')]);
    const { status, stderr } = await inside('dpkg', '-i', '/srv/mtp.deb');
    expect(status, stderr).toBe(0);
    expect((await inside('mtp', '--version')).stdout).toContain(`mtp/${version} `);
    expect((await inside('mtp', 'secret', 'generate')).stdout).toMatch(/^ee[0-9a-f]{32,}$/m);
    expect((await inside('mtp', 'status')).status).toBe(1);
    expect((await inside('stat', '-c', '%U %a', '/etc/mtp', '/var/lib/mtp')).stdout).toBe('mtp 700\nmtp 700\n');
    expect(existsSync(there('etc/systemd/system/multi-user.target.wants/mtp.service'))).toBe(false);
    const unit = spawnSync('systemd-analyze', [
      'verify',
      '--man=no',
      `--root=${root().directory}`,
      '/lib/systemd/system/mtp.service',
    ]);
    expect(unit.stderr.toString()).not.toMatch(/mtp\.service:\d+/);
    const complete =
      'source /usr/share/bash-completion/completions/mtp; COMP_WORDS=(mtp fl); COMP_CWORD=1; _mtp_autocomplete; echo "${COMPREPLY[@]}"';
    expect((await inside('bash', '-c', complete)).stdout).toContain('fleet');
  });

  test('serves, as the user mtp, and shakes hands with itself', async ({ skip }) => {
    skip(debian === null);
    const started = await inside('mtp', 'start');
    expect(started.status, started.stderr).toBe(0);
    expect(await json('user', 'add', 'eve')).toMatchObject({
      effect: {
        running: true,
        proofs: [{ name: 'eve', ok: true, detail: 'the secret is accepted and Telegram answers' }],
      },
    });
    expect(await json('status')).toMatchObject({ version, engine: { process: { user: 'mtp' } } });
  });

  test('goes on serving through an upgrade, which keeps users and what was changed by hand', async ({ skip }) => {
    skip(debian === null);
    const before = (await json('status')) as { pid: number };
    writeFileSync(there('etc/logrotate.d/mtp'), '# by hand\n');
    const tree = path.join(dir, 'next');
    execFileSync('dpkg-deb', ['-R', deb, tree]);
    const control = path.join(tree, 'DEBIAN/control');
    writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*/m, 'Version: 99.0.0'));
    execFileSync('dpkg-deb', ['-Zgzip', '-z1', '--root-owner-group', '-b', tree, there('srv/next.deb')], {
      stdio: 'ignore',
    });
    const upgraded = await inside('dpkg', '-i', '/srv/next.deb');
    expect(upgraded.status, upgraded.stderr).toBe(0);
    expect(upgraded.stdout).toContain('Take the new engine with: mtp engine upgrade');
    expect((await inside('dpkg-query', '-W', '-f', '${Version}', 'mtp')).stdout).toBe('99.0.0');
    expect(await json('status')).toMatchObject({ pid: before.pid });
    expect((await inside('mtp', 'engine', 'upgrade')).status).toBe(0);
    expect(readFileSync(there('etc/logrotate.d/mtp'), 'utf8')).toBe('# by hand\n');
    // Done once more, it finds everything as it is to be.
    expect((await inside('dpkg', '--force-all', '-i', '/srv/next.deb')).status).toBe(0);
  });

  test('is removed with what runs from it, and keeps users until it is purged', async ({ skip }) => {
    skip(debian === null);
    const { pid } = (await json('status')) as { pid: number };
    expect((await inside('dpkg', '-r', 'mtp')).status).toBe(0);
    expect(runs(pid)).toBe(false);
    expect(existsSync(there('usr/lib/mtp'))).toBe(false);
    expect(statSync(there('var/lib/mtp/ledger.db')).size).toBeGreaterThan(0);
    expect((await inside('dpkg', '-i', '/srv/mtp.deb')).status).toBe(0);
    expect((await inside('mtp', 'user', 'list')).stdout).toMatch(/^eve /m);
    expect((await inside('dpkg', '-P', 'mtp')).status).toBe(0);
    for (const left of ['etc/mtp', 'var/lib/mtp', 'var/log/mtp', 'etc/logrotate.d/mtp', 'usr/bin/mtp']) {
      expect(existsSync(there(left)), left).toBe(false);
    }
  });
});

/** Whether a process does anything still; one that has ended may wait for whoever started it to ask. */
function runs(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
