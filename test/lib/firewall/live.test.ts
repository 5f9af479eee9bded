import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { killMarked } from '../../support/left-over.ts';
import { has, hostsArePossible, SERVER, twoHosts, type TwoHosts } from '../../support/two-hosts.ts';

const canNft = hostsArePossible && has('nft');
const canIptables = hostsArePossible && has('iptables-legacy', 'iptables-nft');

let home: string;
let hosts: TwoHosts;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-wall-'));
});
afterEach(async () => {
  await hosts.close();
  await killMarked(home);
  await rm(home, { recursive: true, force: true });
});

async function settings(text: string): Promise<void> {
  await writeFile(path.join(home, 'config.toml'), text, { mode: 0o600 });
}

/** Put what the settings say into force, as a person at the other end would. */
async function apply(...flags: string[]): Promise<void> {
  const { status, stderr, stdout } = await hosts.mtp('firewall', 'apply', '--yes', '--confirm-by', 'probe', ...flags);
  expect(status, stdout + stderr).toBe(0);
}

const FAMILIES = [
  { family: 'IPv4', host: SERVER.v4, attacker: '10.77.0.2', sibling: undefined, victim: '10.77.0.3' },
  { family: 'IPv6', host: SERVER.v6, attacker: 'fd77::2', sibling: 'fd77::3', victim: 'fd78::2' },
];
const BACKENDS = [
  { backend: 'nftables', name: 'nftables', before: ':', refusal: 'ECONNREFUSED', possible: canNft },
  { backend: 'iptables', name: 'iptables-nft', before: ':', refusal: 'silence', possible: canIptables },
  // The variant whose rules are in force is the one that is used.
  {
    backend: 'iptables',
    name: 'iptables-legacy',
    before: 'iptables-legacy -A INPUT -p udp -j ACCEPT',
    refusal: 'silence',
    possible: canIptables,
  },
];

describe.each(BACKENDS)('by $name', { timeout: 120_000 }, ({ backend, name, before, refusal, possible }) => {
  it.skipIf(!possible)(
    'holds the cap of each source exactly, in both families, and no other source feels it',
    async () => {
      hosts = await twoHosts(home);
      hosts.server(before);
      await hosts.listen(22, 443, 8888);
      await settings(
        '[firewall]\nper_source = 5\nrate = "none"\nadmin_ports = [8888]\nallow = ["10.77.0.7", "fd78::7"]\n',
      );
      await apply('--backend', backend);
      for (const { host, attacker, sibling, victim } of FAMILIES) {
        const flood = await hosts.connect({ from: attacker, host, port: 443, count: 12 });
        expect(flood.tally).toEqual({ open: 5, [refusal]: 7 });
        if (sibling !== undefined) {
          const more = await hosts.connect({ from: sibling, host, port: 443, count: 1 });
          expect(more.tally, 'one /64 is one source').toEqual({ [refusal]: 1 });
          more.close();
        }
        const other = await hosts.connect({ from: victim, host, port: 443, count: 5 });
        expect(other.tally).toEqual({ open: 5 });
        const ssh = await hosts.connect({ from: attacker, host, port: 22, count: 8 });
        expect(ssh.tally).toEqual({ open: 8 });
        // Those that close make room.
        flood.close();
        const again = async () => {
          const tried = await hosts.connect({ from: attacker, host, port: 443, count: 6 });
          tried.close();
          return tried.tally;
        };
        await expect.poll(again, { timeout: 30_000 }).toEqual({ open: 5, [refusal]: 1 });
        const admin = await hosts.connect({ from: attacker, host, port: 8888, count: 1 });
        expect(admin.tally).toEqual({ silence: 1 });
        for (const one of [other, ssh, admin]) one.close();
      }
      const trusted = await hosts.connect({ from: '10.77.0.7', host: SERVER.v4, port: 443, count: 9 });
      expect(trusted.tally).toEqual({ open: 9 });
      trusted.close();
      const panel = await hosts.connect({ from: 'fd78::7', host: SERVER.v6, port: 8888, count: 1 });
      expect(panel.tally).toEqual({ open: 1 });
      panel.close();
      const { stdout } = await hosts.mtp('firewall', 'status', '--backend', backend, '--json');
      expect(JSON.parse(stdout)).toMatchObject({
        state: 'in force',
        backend: name,
        drops: { crowded: expect.any(Number) as number },
      });
    },
  );

  it.skipIf(!possible)(
    'holds the rate of each source exactly, in both families, and no other source feels it',
    async () => {
      hosts = await twoHosts(home);
      hosts.server(before);
      await hosts.listen(22, 443);
      await settings('[firewall]\nper_source = "none"\nrate = "1/hour"\nburst = 6\n');
      await apply('--backend', backend);
      for (const { host, attacker, sibling, victim } of FAMILIES) {
        const flood = await hosts.connect({ from: attacker, host, port: 443, count: 10 });
        expect(flood.tally).toEqual({ open: 6, silence: 4 });
        flood.close();
        const more = await hosts.connect({ from: sibling ?? attacker, host, port: 443, count: 1 });
        expect(more.tally).toEqual({ silence: 1 });
        const other = await hosts.connect({ from: victim, host, port: 443, count: 6 });
        expect(other.tally).toEqual({ open: 6 });
        const ssh = await hosts.connect({ from: attacker, host, port: 22, count: 8 });
        expect(ssh.tally).toEqual({ open: 8 });
        for (const one of [more, other, ssh]) one.close();
      }
    },
  );
});
