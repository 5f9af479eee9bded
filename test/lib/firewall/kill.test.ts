import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChangeStep } from '../../../src/lib/firewall/change.ts';
import { killMarked } from '../../support/left-over.ts';
import { has, hostsArePossible, SERVER, twoHosts, type TwoHosts } from '../../support/two-hosts.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/apply.ts', import.meta.url));
const BIN = fileURLToPath(new URL('../../../bin/dev.js', import.meta.url));
const STEPS: ChangeStep[] = ['prepared', 'armed', 'timed', 'applied', 'verified', 'disarmed'];
const WITHIN = 5;
const BACKENDS = [
  {
    backend: 'nftables',
    rules: 'nft -s list table inet mtp 2>/dev/null | grep -v elements || :',
    possible: hostsArePossible && has('nft'),
  },
  {
    backend: 'iptables',
    rules: 'for save in iptables-save ip6tables-save; do $save -t mangle | grep MTP || :; done',
    possible: hostsArePossible && has('iptables'),
  },
];

/** Sets that were made anew stand behind the others. */
function inOrder(listing: string): string {
  const blocks = listing.split(/\n(?=\t(?:set|counter|chain) )/);
  return blocks
    .map((block) => block.replace(/\n+\}?\n*$/, ''))
    .toSorted()
    .join('\n');
}

let home: string;
let hosts: TwoHosts;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-wall-'));
  hosts = await twoHosts(home);
  await hosts.listen(22, 443);
});
afterEach(async () => {
  await hosts.close();
  await killMarked(home);
  await rm(home, { recursive: true, force: true });
});

async function settings(perSource: number): Promise<void> {
  await writeFile(path.join(home, 'config.toml'), `[firewall]\nper_source = ${perSource}\n`, { mode: 0o600 });
}

async function applied(backend: string): Promise<void> {
  const flags = ['--yes', '--confirm-by', 'probe', '--backend', backend];
  const { status, stderr } = await hosts.mtp('firewall', 'apply', ...flags);
  expect(status, stderr).toBe(0);
}

/** Changes that are still to be taken back. */
async function waiting(): Promise<string[]> {
  const names = await readdir(path.join(home, 'firewall')).catch(() => []);
  return names.filter((name) => /^(armed|rolling)-/.test(name));
}

describe.each(BACKENDS)('kill -9 with $backend', { timeout: 240_000 }, ({ backend, rules, possible }) => {
  it.skipIf(!possible)('at any step ends in the old or the new rules, and SSH answers all the time', async () => {
    const now = (): string => inOrder(hosts.server(rules));
    const stop = await hosts.probe(SERVER.v4, 22);
    await settings(5);
    await applied(backend);
    const old = now();
    await settings(9);
    await applied(backend);
    const young = now();
    expect(young).not.toBe(old);
    await settings(5);
    await applied(backend);
    expect(now()).toBe(old);
    await settings(9);
    for (const step of STEPS) {
      const child = hosts.start(process.execPath, [FIXTURE, home, backend, String(WITHIN), step]);
      await once(child, 'exit');
      expect(child.signalCode, step).toBe('SIGKILL');
      expect([old, young], `just after ${step}`).toContain(now());
      const isKept = step === 'disarmed';
      // The timer does it, and nobody else; before there is one, there is nothing to take back.
      if (!['prepared', 'armed'].includes(step))
        await expect.poll(waiting, { timeout: 30_000, interval: 200 }).toEqual([]);
      else await sleep((WITHIN + 1) * 1000);
      expect(now(), `after ${step}`).toBe(isKept ? young : old);
    }
    // Nothing stands in the way of the next one, and nothing is left of the others.
    await hosts.mtp('firewall', 'apply', '--yes', '--confirm-by', 'probe', '--backend', backend);
    expect(now()).toBe(young);
    expect((await readdir(path.join(home, 'firewall'))).filter((name) => name !== 'in-force.json')).toEqual([]);
    const { tries, failures } = await stop();
    expect(failures).toEqual([]);
    expect(tries).toBeGreaterThan(500);
  });

  it.skipIf(!possible)('of a first apply at any moment leaves all of the rules, or none', async () => {
    const now = (): string => inOrder(hosts.server(rules));
    const none = now();
    await settings(5);
    await applied(backend);
    const whole = now();
    await hosts.mtp('firewall', 'remove', '--yes');
    expect(now()).toBe(none);
    for (const ms of [700, 1100, 1500, 1900]) {
      const args = [BIN, 'firewall', 'apply', '--yes', '--within', '5', '--backend', backend, '--home', home];
      const child = hosts.start(process.execPath, args);
      await sleep(ms);
      child.kill('SIGKILL');
      // What it had begun to run runs on.
      await sleep(300);
      expect([none, whole], `after ${ms} ms`).toContain(now());
      await sleep(6000);
      await expect.poll(now, { timeout: 20_000, message: `after ${ms} ms` }).toBe(none);
    }
  });
});
