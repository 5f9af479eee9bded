import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { killMarked } from '../../support/left-over.ts';
import { has, hostsArePossible, SERVER, twoHosts, type TwoHosts } from '../../support/two-hosts.ts';

const LISTEN = fileURLToPath(new URL('fixtures/listen.ts', import.meta.url));

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

/** Whether clients of both families get to a port. */
async function reach(port: number): Promise<boolean[]> {
  const tried = await Promise.all(
    [SERVER.v4, SERVER.v6].map(async (host) => {
      const from = host === SERVER.v4 ? '10.77.0.4' : 'fd77::4';
      const { tally, close } = await hosts.connect({ from, host, port, count: 1 });
      close();
      return tally.open === 1;
    }),
  );
  return tried;
}

async function mtp(...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await hosts.mtp('firewall', ...words);
  expect(status, stdout + stderr).toBe(0);
  return stdout;
}

/** A ruleset of nftables as a careful administrator has it; port 443 is not among what is let in. */
const NFT = `table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    ip saddr 10.77.0.8 drop
    meta l4proto { icmp, icmpv6 } accept
    tcp dport 22 accept
    counter reject with icmpx admin-prohibited
  }
}`;
const IPTABLES = ['iptables', 'ip6tables']
  .map(
    (program) => `${program} -A INPUT -i lo -j ACCEPT
${program} -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
${program} -A INPUT -p ${program === 'iptables' ? 'icmp' : 'ipv6-icmp'} -j ACCEPT
${program} -A INPUT -p tcp --dport 22 -j ACCEPT
${program} -P INPUT DROP`,
  )
  .join('\n');
const UFW = `mkdir -p $MTP_TEST_HOME/ufw && cp -a /etc/ufw $MTP_TEST_HOME/ufw/etc && cp /etc/default/ufw $MTP_TEST_HOME/ufw/default
mount --bind $MTP_TEST_HOME/ufw/etc /etc/ufw && mount --bind $MTP_TEST_HOME/ufw/default /etc/default/ufw`;

const MANAGERS = [
  {
    manager: 'nftables',
    mounts: ':',
    rules: `printf '%s' '${NFT}' | nft -f -`,
    list: 'nft -s list table inet filter',
    possible: has('nft'),
  },
  {
    manager: 'iptables-nft',
    mounts: ':',
    rules: IPTABLES,
    list: 'iptables-save -t filter | grep -v "^[#:]"; ip6tables-save -t filter | grep -v "^[#:]"',
    possible: has('iptables-nft', 'nft'),
  },
  {
    manager: 'ufw',
    mounts: UFW,
    rules: 'ufw allow 22/tcp >/dev/null && ufw --force enable >/dev/null 2>&1',
    list: 'ufw status; ls /etc/ufw/applications.d',
    possible: has('ufw', 'iptables'),
  },
];

describe.each(MANAGERS)(
  'where $manager lets nobody in',
  { timeout: 120_000 },
  ({ manager, mounts, rules, list, possible }) => {
    it.skipIf(!hostsArePossible || !possible)('opens by it, moves with the port, and takes back its own', async () => {
      hosts = await twoHosts(home, mounts);
      hosts.server(rules);
      await hosts.listen(22, 443, 8443);
      const before = hosts.server(list);
      await settings('');
      const plan = JSON.parse(await mtp('plan', '--json')) as { manager: string; steps: string[] };
      expect(plan.manager).toBe(manager);
      expect(plan.steps).not.toEqual([]);
      expect(await reach(443)).toEqual([false, false]);
      const stop = await hosts.probe(SERVER.v4, 22);
      // Nobody confirms: all of it is taken back.
      const { status } = await hosts.mtp('firewall', 'apply', '--yes', '--within', '300');
      expect(status).toBe(2);
      expect(await reach(443)).toEqual([true, true]);
      await mtp('rollback');
      expect(hosts.server(list)).toBe(before);
      expect(await reach(443)).toEqual([false, false]);
      await mtp('apply', '--yes', '--confirm-by', 'probe');
      expect(await reach(443)).toEqual([true, true]);
      expect(await mtp('apply', '--yes', '--confirm-by', 'probe')).toContain('Nothing to change');
      await settings('[listen]\nport = 8443\n');
      await mtp('apply', '--yes', '--confirm-by', 'probe');
      expect([await reach(443), await reach(8443)]).toEqual([
        [false, false],
        [true, true],
      ]);
      await mtp('remove', '--yes');
      expect(hosts.server(list)).toBe(before);
      expect(await reach(8443)).toEqual([false, false]);
      expect((await stop()).failures).toEqual([]);
    });
  },
);

it.skipIf(!hostsArePossible || !has('nft'))(
  'goes behind the bans of an administrator',
  { timeout: 60_000 },
  async () => {
    hosts = await twoHosts(home);
    hosts.server(`printf '%s' '${NFT}' | nft -f -`);
    await hosts.listen(22, 443);
    await settings('');
    await mtp('apply', '--yes', '--confirm-by', 'probe');
    const { tally } = await hosts.connect({ from: '10.77.0.8', host: SERVER.v4, port: 443, count: 1 });
    expect(tally).toEqual({ silence: 1 });
  },
);

it.skipIf(!hostsArePossible || !has('nft', 'ufw'))('never turns ufw on', { timeout: 60_000 }, async () => {
  hosts = await twoHosts(home, UFW);
  await hosts.listen(22);
  const { status, stderr } = await hosts.mtp('firewall', 'apply', '--yes', '--backend', 'ufw');
  expect([status, stderr]).toEqual([5, expect.stringContaining('not active')]);
  expect(hosts.server('ufw status')).toContain('inactive');
});

const DOCKER = [
  { backend: 'nftables', refusal: 'ECONNREFUSED', possible: has('nft', 'iptables') },
  { backend: 'iptables', refusal: 'silence', possible: has('iptables') },
];

it.skipIf(!hostsArePossible).each(DOCKER.filter(({ possible }) => possible))(
  'limits a port that a container publishes, by $backend',
  { timeout: 60_000 },
  async ({ backend, refusal }) => {
    hosts = await twoHosts(home);
    await hosts.listen(22);
    const container = hosts.start('unshare', ['-n', process.execPath, LISTEN, '3128', '3129']);
    await once(container.stdout as NodeJS.ReadableStream, 'data');
    const inside = `nsenter -t ${container.pid ?? ''} -n`;
    // As Docker does it: translation before routing, and a chain for its own forwarding.
    hosts.server(`ip link add inner type veth peer name inner netns ${container.pid ?? ''}
      ip addr add 172.30.0.1/24 dev inner; ip link set inner up
      ${inside} ip addr add 172.30.0.2/24 dev inner; ${inside} ip link set inner up
      ${inside} ip route add default via 172.30.0.1
      echo 1 >/proc/sys/net/ipv4/ip_forward
      iptables -t nat -N DOCKER; iptables -N DOCKER; iptables -P FORWARD DROP
      iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
      for pair in 443:3128 9100:3129; do
        iptables -t nat -A DOCKER -p tcp --dport \${pair%:*} -j DNAT --to-destination 172.30.0.2:\${pair#*:}
      done
      iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT; iptables -A FORWARD -j DOCKER
      iptables -A DOCKER -d 172.30.0.2 -j ACCEPT`);
    await settings('[firewall]\nper_source = 4\nadmin_ports = []\n');
    const plan = JSON.parse(await mtp('plan', '--json', '--backend', backend)) as { warnings: string[] };
    expect(plan.warnings.join()).toContain('Docker publishes 9100');
    await mtp('apply', '--yes', '--confirm-by', 'probe', '--backend', backend);
    const flood = await hosts.connect({ from: '10.77.0.2', host: SERVER.v4, port: 443, count: 9 });
    expect(flood.tally).toEqual({ open: 4, [refusal]: 5 });
    const other = await hosts.connect({ from: '10.77.0.3', host: SERVER.v4, port: 443, count: 4 });
    expect(other.tally).toEqual({ open: 4 });
    await settings('[firewall]\nper_source = 4\nadmin_ports = [9100]\n');
    const open = await hosts.connect({ from: '10.77.0.2', host: SERVER.v4, port: 9100, count: 1 });
    expect(open.tally).toEqual({ open: 1 });
    await mtp('apply', '--yes', '--confirm-by', 'probe', '--backend', backend);
    const closed = await hosts.connect({ from: '10.77.0.2', host: SERVER.v4, port: 9100, count: 1 });
    expect(closed.tally).toEqual({ silence: 1 });
  },
);
