import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyTune } from '../../../src/lib/tune/apply.ts';
import { assertMayTune } from '../../../src/lib/tune/guard.ts';
import { kernelAt } from '../../../src/lib/tune/kernel.ts';
import { planTune } from '../../../src/lib/tune/plan.ts';
import { undoTune } from '../../../src/lib/tune/undo.ts';

const ROOT = new URL('../../..', import.meta.url).pathname;
const FACTS = { memoryMb: 1024, connections: 3620, port: 443, bbr: false };

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-tune-'));
});
afterEach(async () => rm(dir, { recursive: true }));

const CONF = 'etc/sysctl.d/60-mtp.conf';
const place = (file: string): string => path.join(dir, file);
async function put(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(place(file)), { recursive: true });
  await writeFile(place(file), text);
}

const hasNetworkNamespaces =
  process.getuid?.() === 0 && existsSync('/usr/sbin/sysctl') && spawnSync('unshare', ['-n', 'true']).status === 0;

describe.skipIf(!hasNetworkNamespaces)(
  'in a network namespace of its own, with the real kernel',
  { timeout: 60_000 },
  () => {
    /** Lines of the output of a script that runs in one namespace. */
    function script(...lines: string[]): string[] {
      const text = ['set -e', 'mtp() { node bin/dev.js "$@" --home "$D/home"; }', ...lines].join('\n');
      const env = { ...process.env, D: dir, PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}` };
      const output = execFileSync('unshare', ['-n', 'bash', '-c', text], { cwd: ROOT, env, encoding: 'utf8' });
      return output.trim().split('\n');
    }
    const ALL = 'sysctl -a 2>/dev/null | grep -E "^net\\.(ipv4|core)\\." | sort';
    const APPLY = 'mtp tune apply --yes --in-container --only net.ipv4 --only net.core --prefix "$D" >"$D/out"';

    it('sets values, and undo restores every one of them', async () => {
      const lines = script(
        `${ALL} >"$D/before"`,
        APPLY,
        'sysctl -n net.ipv4.tcp_fin_timeout net.ipv4.ip_local_port_range net.ipv4.tcp_tw_reuse',
        // A file for the next boot that sysctl itself accepts, in one where nothing is set yet.
        `unshare -n sh -c 'sysctl -q -p "$D/${CONF}" && sysctl -n net.ipv4.tcp_fin_timeout'`,
        `${ALL} >"$D/after"`,
        // Twice is as once: the values from before stay known.
        APPLY,
        'sysctl -q -w net.ipv4.tcp_mtu_probing=2',
        'mtp tune undo',
        'sysctl -q -w net.ipv4.tcp_mtu_probing=0',
        `${ALL} >"$D/restored"`,
        'mtp tune undo',
      );
      expect(lines.slice(0, 4).map((line) => line.replace(/\s+/g, ' '))).toEqual(['20', '16384 65535', '1', '20']);
      expect(lines).toContain('net.ipv4.tcp_mtu_probing: left at 2, which somebody set since');
      expect(lines.at(-1)).toContain('Nothing to undo');
      expect(await readFile(place('out'), 'utf8')).toContain('Nothing to change');
      const [before, after, restored] = await Promise.all(
        ['before', 'after', 'restored'].map(async (name) => readFile(place(name), 'utf8')),
      );
      expect(after).not.toBe(before);
      expect(restored).toBe(before);
      expect(existsSync(place(CONF))).toBe(false);
    });
  },
);

/** Keys as files, for what a real kernel will not do on demand. */
describe('with keys in a directory', () => {
  const kernel = kernelAt;
  beforeEach(async () => {
    await put('sys/net/ipv4/tcp_fin_timeout', '60\n');
    await put('sys/net/ipv4/tcp_tw_reuse', '2\n');
  });
  const plan = async (...only: string[]) => planTune(FACTS, { kernel: kernel(place('sys')), root: dir }, only);

  it('plans changes with reasons, and names keys that are absent', async () => {
    const { lines } = await plan();
    expect(lines.find(({ key }) => key === 'net.ipv4.tcp_fin_timeout')).toMatchObject({
      current: '60',
      wanted: '20',
      action: 'change',
    });
    expect(lines.find(({ key }) => key === 'vm.swappiness')).toMatchObject({ action: 'absent' });
  });

  it('names the file that wins at the next boot', async () => {
    await put('etc/sysctl.d/99-mine.conf', '# x\n net/ipv4/tcp_fin_timeout = 30\n');
    await put('etc/sysctl.d/10-early.conf', 'net.ipv4.tcp_tw_reuse=0\n');
    await put('usr/lib/sysctl.d/99-mine.conf', 'net.ipv4.tcp_tw_reuse=0\n');
    const { lines } = await plan('net.ipv4.tcp_fin', 'net.ipv4.tcp_tw');
    expect(lines.map(({ key, overriddenBy }) => [key, overriddenBy])).toEqual([
      ['net.ipv4.tcp_tw_reuse', null],
      ['net.ipv4.tcp_fin_timeout', place('etc/sysctl.d/99-mine.conf')],
    ]);
    await put('etc/sysctl.conf', 'net.ipv4.tcp_tw_reuse=0');
    expect((await plan('net.ipv4.tcp_tw')).lines[0]?.overriddenBy).toBe(place('etc/sysctl.conf'));
  });

  it('leaves what the kernel refuses out of the file, and says so', async () => {
    const refusing = {
      ...kernel(place('sys')),
      write: async (key: string, value: string) =>
        key.endsWith('reuse') ? 'it stays 2' : kernel(place('sys')).write(key, value),
    };
    const outcome = await applyTune(await plan(), refusing, place('state'));
    expect(outcome.refused).toEqual([{ key: 'net.ipv4.tcp_tw_reuse', why: 'it stays 2' }]);
    const text = await readFile(place(CONF), 'utf8');
    expect(text).toContain('net.ipv4.tcp_fin_timeout = 20');
    expect(text).not.toContain('tw_reuse');
  });

  it('touches no file of somebody else, before or after', async () => {
    await put(CONF, 'mine = 1\n');
    await expect(applyTune(await plan(), kernel(place('sys')), place('state'))).rejects.toThrow(/not as mtp wrote it/);
    expect(await readFile(place('sys/net/ipv4/tcp_fin_timeout'), 'utf8')).toBe('60\n');
    await rm(place(CONF));
    await applyTune(await plan(), kernel(place('sys')), place('state'));
    await put(CONF, 'mine = 2\n');
    const undone = await undoTune(kernel(place('sys')), place('state'));
    expect(undone).toMatchObject({ file: { kept: true }, left: [], failed: [] });
    expect(await readFile(place(CONF), 'utf8')).toBe('mine = 2\n');
    expect((await readFile(place('sys/net/ipv4/tcp_fin_timeout'), 'utf8')).trim()).toBe('60');
  });

  it('refuses a state file that it did not write', async () => {
    await put('state/tune.json', '{"version":1}');
    await expect(undoTune(kernel(place('sys')), place('state'))).rejects.toMatchObject({ code: 'TUNE_STATE_DAMAGED' });
  });
});

it('is for root, and not for containers unless they are named', () => {
  expect(() => assertMayTune(false, undefined, false)).toThrow(expect.objectContaining({ exit: 4 }));
  expect(() => assertMayTune(true, 'docker', false)).toThrow(expect.objectContaining({ exit: 5 }));
  expect(() => assertMayTune(true, 'docker', true)).not.toThrow();
  expect(() => assertMayTune(true, undefined, false)).not.toThrow();
});
