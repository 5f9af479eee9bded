import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { getStatus } from '../../../src/lib/control/client.ts';
import { findAccount } from '../../../src/lib/host/account.ts';
import { readJournal } from '../../../src/lib/init/journal.ts';
import { type Layout, systemLayout } from '../../../src/lib/init/layout.ts';
import { exec } from '../../../src/lib/system/exec.ts';
import { planUninstall, runUninstall } from '../../../src/lib/uninstall/uninstall.ts';
import { loadFirst } from '../../../src/lib/users/load.ts';
import { requireSecret } from '../../../src/lib/users/user.ts';
import { type InitWorld, startInitWorld, writeEarlierConfig } from '../../support/init-world.ts';
import { siteIsPossible } from '../../support/site.ts';
import { run } from './run.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/killed-init.ts', import.meta.url));
const BIN = fileURLToPath(new URL('../../../bin/dev.js', import.meta.url));
const canInstall = process.getuid?.() === 0 && siteIsPossible && existsSync('/usr/sbin/userdel');

const steps = ['account', 'directories', 'config', 'gitignore', 'person', 'unit', 'logrotate', 'service'];

let world: InitWorld;
let layout: Layout;
let where: string[];
beforeEach(async () => {
  world = await startInitWorld();
  layout = systemLayout(world.root);
  await writeEarlierConfig(layout.paths.config, world.dc);
  where = [world.root, String(world.port), String(world.sitePort), world.nameServer, world.addressUrl];
});
afterEach(async () => {
  await uninstall();
  await world.close();
});

async function uninstall(keepData = false): Promise<void> {
  const plan = await planUninstall(layout, keepData);
  if (plan !== null) await runUninstall(plan, layout, exec);
}

/** Names and modes of all that is there, but for what tools for users leave behind. */
function tree(): string[] {
  const output = execFileSync('find', [world.root, '-printf', '%M %P\n'], { encoding: 'utf8' });
  const lines = output.split('\n').filter((line) => !/ etc\/(\.pwd\.lock|(passwd|group|shadow|gshadow)-?)$/.test(line));
  // Its owner and mode are put right where the directory was there before.
  return lines.filter((line) => !line.endsWith(' etc/mtp')).toSorted();
}

describe.skipIf(!canInstall)('mtp init', { timeout: 120_000 }, () => {
  it('installs, proves it, changes nothing the second time, and is removed without a trace', async () => {
    const before = tree();
    const first = await run(where);
    expect(first.proofs.map(({ id, ok }) => [id, ok])).toEqual([
      ['service', true],
      ['revision', true],
      ['handshake', true],
      ['stranger', true],
    ]);
    expect(first.proofs[3]?.detail).toContain('byte-equal');
    expect(first.proofs[0]?.detail).toContain('no capability');
    const account = await findAccount('mtp', world.root);
    expect(account).toMatchObject({ shell: '/usr/sbin/nologin' });
    for (const file of [layout.paths.configFile, layout.paths.ledgerFile, layout.paths.keyringFile]) {
      expect(await stat(file)).toMatchObject({ uid: account?.uid, mode: 0o100600 });
    }
    expect(await readFile(path.join(layout.paths.config, '.gitignore'), 'utf8')).toMatch(/^\*$/m);
    expect(await readFile(layout.unit, 'utf8')).toContain('NoNewPrivileges=yes');
    const result = await readFile(layout.result, 'utf8');
    expect(JSON.parse(result)).toMatchObject({ schemaVersion: 1, state: 'installed' });
    const { user } = await loadFirst(layout.paths);
    expect(result).not.toContain(requireSecret(user).key);
    const pid = (await getStatus(layout.paths))?.pid;
    const second = await run(where);
    expect(second.changed).toEqual([]);
    expect((await getStatus(layout.paths))?.pid).toBe(pid);
    await uninstall();
    expect(tree()).toEqual(before);
    expect(await findAccount('mtp', world.root)).toBeUndefined();
    expect(await getStatus(layout.paths)).toBeUndefined();
    // The configuration was there before, so it stays.
    expect(await readFile(layout.paths.configFile, 'utf8')).toContain('cover.test');
  });

  it('repairs what was changed or taken away', async () => {
    await run(where);
    await rm(layout.unit);
    await writeFile(layout.logrotate, 'broken');
    expect((await run(where)).changed).toEqual(['unit', 'logrotate']);
    expect(await readFile(layout.logrotate, 'utf8')).toContain('postrotate');
  });

  it('keeps and names files that were changed since, and data where asked to', async () => {
    await run(where);
    await writeFile(layout.logrotate, '# mine');
    const plan = await planUninstall(layout, true);
    expect(plan?.filter(({ action }) => action === 'keep').map(({ text }) => text)).toEqual([
      `${layout.logrotate}: changed since`,
      `${layout.paths.ledgerFile}: data`,
      `${layout.paths.keyringFile}: data`,
      `${layout.paths.config}/.gitignore: data`,
      expect.stringContaining('it owns the data'),
      `${layout.paths.state}: data`,
    ]);
    await uninstall(true);
    expect(await readFile(layout.logrotate, 'utf8')).toBe('# mine');
    expect(existsSync(layout.unit)).toBe(false);
    expect(existsSync(layout.paths.ledgerFile)).toBe(true);
    await uninstall();
    expect(existsSync(layout.paths.state)).toBe(false);
    expect(await readJournal(layout)).toBeUndefined();
  });

  it.each(steps)('killed in the step %s, is taken back or gone on with', async (id) => {
    const before = tree();
    const killAt = async (point: string): Promise<void> => {
      const child = spawn(process.execPath, [FIXTURE, JSON.stringify(where), id, point], { stdio: 'ignore' });
      expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    };
    await killAt('intended');
    await uninstall();
    expect(tree()).toEqual(before);
    await killAt('done');
    const result = await run(where);
    expect(result.proofs.every(({ ok }) => ok)).toBe(true);
    await uninstall();
    expect(tree()).toEqual(before);
  });
});

describe.skipIf(!canInstall)('what is wrong is said before anything is changed', { timeout: 60_000 }, () => {
  async function refused(change: (where: string[]) => string[] = (same) => same): Promise<string> {
    const before = tree();
    const error = await run(change(where)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ exit: 5 });
    expect(tree()).toEqual(before);
    return (error as Error).message;
  }

  it('a port that is taken, and by whom', async () => {
    const server = net.createServer().listen(world.port, '::');
    await new Promise((resolve) => server.once('listening', resolve));
    expect(await refused()).toMatch(new RegExp(`port ${world.port} is taken by .* \\(pid ${process.pid}\\)`));
    await new Promise((resolve) => server.close(resolve));
  });

  it('a website that does not answer', async () => {
    expect(await refused(([root = '', port = '', , ...rest]) => [root, port, '1', ...rest])).toContain(
      'connection refused',
    );
  });

  it('a cover that is the proxy itself', async () => {
    const loop = ([root = '', port = '', , ...rest]: string[]) => [root, port, port, ...rest];
    expect(await refused(loop)).toContain('is this proxy itself');
  });

  it('no network: name servers and Telegram are silent', async () => {
    await world.dc.close();
    const message = await refused(([root = '', port = '', site = '', , url = '']) => [
      root,
      port,
      site,
      '127.0.0.1:1',
      url,
    ]);
    expect(message).toContain('no name server answers for cover.test');
    expect(message).toContain('no data centre of Telegram answers (connection refused)');
    world.dc.close = async () => undefined;
  });

  it.each([
    ['is read-only', ['-o', 'ro', '-t', 'tmpfs'], 'read-only file system'],
    ['is full', ['-o', 'size=64k,mode=755', '-t', 'tmpfs'], 'is full: 64 KB free'],
  ])('a disk that %s', async (_name, options, words) => {
    const place = path.join(world.root, 'var/lib');
    execFileSync('mount', [...options, 'none', place]);
    try {
      expect(await refused()).toContain(words);
    } finally {
      execFileSync('umount', [place]);
    }
  });
});

it.skipIf(!canInstall)('a second one at once is refused with status 75', { timeout: 60_000 }, async () => {
  await mkdir(layout.paths.state, { recursive: true });
  let second: unknown;
  const first = await run(where, () => undefined, {
    step: async (title, task) => {
      if (title.startsWith('Starting')) second = await run(where).catch((error: unknown) => error);
      return task();
    },
  });
  expect(first.state).toBe('installed');
  expect(second).toMatchObject({ exit: 75 });
});

describe.skipIf(!canInstall)('interrupted', { timeout: 120_000 }, () => {
  /** Install, with somebody pressing Ctrl-C when the step that is named is done. */
  async function interruptedAt(id: string): Promise<unknown> {
    let isStopped = false;
    const edges = { stopped: () => isStopped };
    return run(where, (step, at) => void (isStopped ||= step === id && at === 'done'), edges).catch(
      (error: unknown) => error,
    );
  }

  it.each(steps)('in the step %s leaves nothing behind', async (id) => {
    const before = tree();
    expect(await interruptedAt(id)).toMatchObject({
      code: 'INTERRUPTED',
      exit: 130,
      message: 'interrupted; nothing is left behind',
    });
    expect(tree()).toEqual(before);
    expect(await findAccount('mtp', world.root)).toBeUndefined();
    expect(await getStatus(layout.paths)).toBeUndefined();
  });

  it.skipIf(!existsSync('/usr/bin/script'))('by Ctrl-C at a terminal leaves nothing behind', async () => {
    const before = tree();
    const words = ['init', '--prefix', world.root, '--domain', 'cover.test', '--user', 'me', '--yes', ...world.args];
    const line = ['stty cols 100 rows 30;', process.execPath, BIN, ...words].join(' ');
    const child = spawn('/usr/bin/script', ['-qec', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const isNew = !shown.includes('Starting the proxy');
      shown += chunk.toString();
      if (isNew && shown.includes('Starting the proxy')) child.stdin.write('\u0003');
    });
    const ended = await once(child, 'exit');
    expect(ended, shown).toEqual([130, null]);
    expect(shown).toContain('nothing is left behind');
    expect(tree()).toEqual(before);
    expect(await getStatus(layout.paths)).toBeUndefined();
  });

  it('before anything was made, writes nothing', async () => {
    const before = tree();
    const error = await run(where, () => undefined, { stopped: () => true }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ exit: 130 });
    expect(tree()).toEqual(before);
  });

  it('takes nothing away from an installation that was there', async () => {
    await run(where);
    await rm(layout.unit);
    expect(await interruptedAt('unit')).toMatchObject({ exit: 130, hint: expect.stringContaining('again') as string });
    expect((await getStatus(layout.paths))?.engine.state).toBe('running');
    expect(existsSync(layout.unit)).toBe(true);
  });
});
