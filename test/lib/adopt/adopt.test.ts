import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { adopt } from '../../../src/lib/adopt/adopt.ts';
import { readCommandLine } from '../../../src/lib/adopt/command-line.ts';
import { type Found } from '../../../src/lib/adopt/found.ts';
import { readOther } from '../../../src/lib/adopt/read.ts';
import { exec } from '../../../src/lib/system/exec.ts';
import { resolvePaths } from '../../../src/lib/system/paths.ts';
import { loadUsers } from '../../../src/lib/users/load.ts';

const KEY = '367a189aee18fa31c190054efd4a8e01';
const OTHER = '473ce5d4958eb5f968c87680a23854a1';
const EE = `ee${KEY}${Buffer.from('a.example').toString('hex')}`;

let dir: string;
beforeEach(async () => (dir = await mkdtemp(path.join(os.tmpdir(), 'adopt-'))));
afterEach(async () => rm(dir, { recursive: true }));

/** Settings, keys in hex and kinds of link. */
function short(found: Found | { file: string }) {
  if ('file' in found) return found;
  const settings = Object.fromEntries(found.edits.map(({ key, value }) => [key, value]));
  return { settings, keys: found.secrets.map(({ key }) => key.toString('hex')), modes: found.modes };
}

async function written(name: string, ...lines: string[]): Promise<string> {
  const file = path.join(dir, name);
  await writeFile(file, lines.join('\n'));
  return file;
}

describe('a command line', () => {
  test.each([
    [
      `mtg simple-run -d -c 99 0.0.0.0:443 ${EE}`,
      { 'listen.host': '0.0.0.0', 'listen.port': 443, 'cover.domain': 'a.example' },
      ['ee'],
    ],
    [
      `/usr/bin/mtg run -b 1.2.3.4:8443 --public-ipv4=5.6.7.8:443 dd${KEY} ${OTHER}`,
      { 'listen.host': '1.2.3.4', 'listen.port': 8443, 'link.server': '5.6.7.8', 'link.port': 443 },
      ['dd'],
    ],
    [
      `mtproto-proxy -u nobody -p 8888 -H 443,80 -S ${KEY} -P ${OTHER} --aes-pwd proxy-secret multi.conf -M 1`,
      { 'listen.port': 443 },
      ['dd', 'plain'],
    ],
    [`mtproto-proxy -R -H8443 -S${KEY} multi.conf`, { 'listen.port': 8443 }, ['dd']],
    [`mtproto-proxy -H 443 -S ${KEY} -D b.example`, { 'listen.port': 443, 'cover.domain': 'b.example' }, ['ee']],
    [`mtproto-proxy --http-stats -S ${KEY} -H 443`, { 'listen.port': 443 }, ['dd', 'plain']],
    [
      `mtg simple-run -s socks5://127.0.0.1:9050 :443 ${EE}`,
      {
        'listen.host': '0.0.0.0',
        'listen.port': 443,
        'cover.domain': 'a.example',
        'upstream.socks5': 'socks5://127.0.0.1:9050',
      },
      ['ee'],
    ],
    [`python3 /opt/mtprotoproxy.py 443 ${KEY}`, { 'listen.port': 443, 'cover.domain': 'www.google.com' }, ['ee', 'dd']],
    [
      `/usr/bin/python3 /usr/local/bin/mtprotoproxy 443 ${KEY} ${OTHER} b.example`,
      { 'listen.port': 443, 'cover.domain': 'b.example' },
      ['ee'],
    ],
  ])('is read: %s', (line, settings, modes) => {
    expect(short(readCommandLine(line.split(' ')))).toEqual({ settings, keys: [KEY], modes });
  });

  test('may leave the rest to a file', () => {
    expect(readCommandLine(['mtg', 'run', 'mtg.toml'])).toEqual({ file: 'mtg.toml' });
    expect(readCommandLine(['python3', '/opt/mtprotoproxy.py'])).toEqual({ file: '/opt/config.py' });
  });

  test.each([`nginx -c ${KEY}`, `mtproto-proxy -S ${KEY}`, `mtg run -b ${KEY} ${EE}`, `mtg run dd${KEY}00`])(
    'that is not understood is not quoted: %s',
    (line) => {
      expect(() => readCommandLine(line.split(' '))).toThrow(/^(?!.*367a)/);
    },
  );
});

describe('another proxy', () => {
  it('is read from a process', async () => {
    const script = await written('mtg', 'process.stdout.write("."); setInterval(() => {}, 1000);');
    const child = spawn(process.execPath, [script, 'simple-run', '127.0.0.1:4443', EE]);
    await once(child.stdout, 'data');
    const found = await readOther({ pid: child.pid ?? 0 }, exec);
    child.kill();
    expect(short(found)).toMatchObject({ settings: { 'listen.port': 4443 }, keys: [KEY], modes: ['ee'] });
  });

  it('is read from its unit, by way of the file that the unit names', async () => {
    await written('mtg.toml', `secret = "${EE}"`, 'bind-to = "0.0.0.0:3128"', 'mystery = 1');
    const unit = await written(
      'mtg.service',
      '[Service]',
      `WorkingDirectory=${dir}`,
      'ExecStart=-/usr/bin/mtg run \\',
      '  "mtg.toml"',
    );
    const found = await readOther({ file: unit }, exec);
    expect(short(found)).toMatchObject({ settings: { 'listen.port': 3128 }, keys: [KEY] });
    expect(found.notes).toEqual([`${dir}/mtg.toml:3: mystery: not known, left out`]);
  });

  it('is read from config.py where that has plain values', async () => {
    const lines = [
      'PORT = 443',
      'USERS = {',
      `  "tg": "${KEY}",`,
      `  # "no": "${OTHER}",`,
      `  'ann b': '${OTHER}'`,
      '}',
    ];
    const modes = 'MODES = {"classic": False, "secure": True, "tls": True}';
    const file = await written('config.py', ...lines, modes, 'TLS_DOMAIN = "c.example" # site', `AD_TAG = "${KEY}"`);
    const found = await readOther({ file }, exec);
    expect(short(found)).toEqual({
      settings: { 'listen.port': 443, 'cover.domain': 'c.example' },
      keys: [KEY, OTHER],
      modes: ['ee', 'dd'],
    });
    expect(found.notes).toEqual([expect.stringContaining('ad tag')]);
    const code = await written('code.py', 'import os', 'PORT = os.environ["PORT"]', ...lines.slice(1));
    await expect(readOther({ file: code }, exec)).rejects.toThrow('PORT and USERS');
  });

  it('is taken over once: a second time nothing is left to do', async () => {
    const paths = resolvePaths({ home: path.join(dir, 'home'), env: {}, isRoot: false, userHome: dir });
    const file = await written('config.py', 'PORT = 4443', `USERS = {"tg": "${KEY}", "a b": "${OTHER}"}`);
    const found = await readOther({ file }, exec);
    const plan = await adopt(paths, found, { dryRun: true, env: {} });
    expect(plan.users).toEqual([
      { name: 'tg', present: false },
      { name: 'adopted', present: false },
    ]);
    expect(existsSync(paths.configFile)).toBe(false);
    const done = await adopt(paths, found, { dryRun: false, env: {} });
    expect(JSON.stringify(done)).not.toMatch(new RegExp(`${KEY}|${OTHER}`));
    const { users } = await loadUsers(paths);
    expect(users.map(({ name, secrets }) => [name, secrets[0]?.key])).toEqual([
      ['tg', KEY],
      ['adopted', OTHER],
    ]);
    expect(await readFile(paths.configFile, 'utf8')).toContain('modes = ["ee", "dd", "plain"]');
    const again = await adopt(paths, found, { dryRun: false, env: {} });
    expect(again.config.changed).toBe(false);
    expect(again.users.every(({ present }) => present)).toBe(true);
  });
});
