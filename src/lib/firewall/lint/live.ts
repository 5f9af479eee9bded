import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type HostFirewall, readHostFirewall } from '../../host/firewall.ts';
import { exists } from '../../host/machine.ts';
import { readSshFacts } from '../../host/ssh.ts';
import type { Exec } from '../../system/exec.ts';
import type { NftListing } from '../nft/read.ts';
import { chainsOfSave } from '../rules/from-iptables.ts';
import { chainsOfNft } from '../rules/from-nft.ts';
import type { RuleChain } from '../rules/rule.ts';
import type { RuleSet } from './check.ts';

interface LiveEdges {
  exec: Exec;
  env: NodeJS.ProcessEnv;
  /** Root of the file system; `/` but for tests. */
  root: string;
}

/** The rules that are in force on this machine. */
export async function readLiveRules({ exec, env, root }: LiveEdges): Promise<RuleSet> {
  const [host, ssh] = await Promise.all([readHostFirewall(exec, true), readSshFacts(exec, env)]);
  const [nft, iptables] = [await nftChains(exec, host), await iptablesChains(exec, host)];
  const isManaged = host.ufw === 'active' || host.firewalld;
  return {
    chains: [...nft, ...iptables],
    sshPorts: ssh.ports,
    published: (host.docker ?? []).map((port) => ({ port })),
    fleeting: [
      ...(await fleetingTables(nft, root)),
      ...(isManaged ? [] : await fleetingChains(iptables, root)),
      ...((await isOursFleeting(exec, host, root)) ? ['table inet mtp'] : []),
    ],
    findings: [],
  };
}

async function nftChains(exec: Exec, { nft }: HostFirewall): Promise<RuleChain[]> {
  if (!nft) return [];
  const { stdout } = await exec('nft', ['-j', '-t', 'list', 'ruleset']);
  const chains = chainsOfNft(JSON.parse(stdout) as NftListing);
  // What iptables has made, iptables-save tells better; ours restricts before all of it and never what SSH needs.
  return chains.filter(({ table, name }) => table !== 'inet mtp' && !isOfIptables(chains, table) && name !== 'INPUT');
}

function isOfIptables(chains: RuleChain[], table: string): boolean {
  return (
    /^ip6? (filter|nat|mangle|raw|security)$/.test(table) &&
    chains.some((chain) => chain.table === table && /^[A-Z]+$/.test(chain.name))
  );
}

async function iptablesChains(exec: Exec, { iptables }: HostFirewall): Promise<RuleChain[]> {
  if (iptables === null) return [];
  const saved = await Promise.all(
    ([4, 6] as const).map(async (family) => {
      const program = family === 4 ? iptables.v4 : iptables.v6;
      if (program === null) return [];
      const { stdout } = await exec(`${program}-save`, ['-t', 'filter']);
      return chainsOfSave(stdout, family);
    }),
  );
  return saved.flat();
}

/** Tables of nftables that the file of nftables.service does not name, or that nobody loads. */
async function fleetingTables(chains: RuleChain[], root: string): Promise<string[]> {
  const tables = [...new Set(chains.filter(({ rules }) => rules.length > 0).map(({ table }) => table))];
  const text = await nftConfiguration(root);
  const isLoaded = await isWanted(root, 'nftables.service');
  return tables
    .filter(
      (table) => !isLoaded || !new RegExp(`^\\s*(add )?table ${table.replace(/^ip /, '(ip )?')}\\b`, 'm').test(text),
    )
    .map((table) => `table ${table}`);
}

async function nftConfiguration(root: string): Promise<string> {
  const main = path.join(root, 'etc/nftables.conf');
  const parts = path.join(root, 'etc/nftables.d');
  const names = await readdir(parts).catch(() => []);
  const texts = await Promise.all(
    [main, ...names.map((name) => path.join(parts, name))].map(async (file) => readFile(file, 'utf8').catch(() => '')),
  );
  return texts.join('\n');
}

const SAVED = [
  { family: 4, files: ['etc/iptables/rules.v4', 'etc/sysconfig/iptables'] },
  { family: 6, files: ['etc/iptables/rules.v6', 'etc/sysconfig/ip6tables'] },
] as const;

/** Rules of iptables for incoming packets that no saved file has. */
async function fleetingChains(chains: RuleChain[], root: string): Promise<string[]> {
  const missing = await Promise.all(
    SAVED.map(async ({ family, files }) => {
      const texts = await Promise.all(
        files.map(async (file) => readFile(path.join(root, file), 'utf8').catch(() => '')),
      );
      const saved = new Set(texts.flatMap((text) => text.split('\n').map((line) => line.replace(/^\[\d+:\d+\] /, ''))));
      const input = chains.filter(({ name, families }) => name === 'INPUT' && families.includes(family));
      const all = input.flatMap((chain) => chain.rules);
      const rules = all.filter(({ text }) => !/ (f2b-|MTP-|ufw-)| --comment "?mtp:/.test(text));
      const lost = rules.filter(({ text }) => !saved.has(text));
      return lost.length === 0 ? [] : [`${lost.length} of ${rules.length} rules in INPUT, IPv${family}`];
    }),
  );
  return missing.flat();
}

async function isOursFleeting(exec: Exec, { nft }: HostFirewall, root: string): Promise<boolean> {
  if (!nft || (await isWanted(root, 'mtp-firewall.service'))) return false;
  return (await exec('nft', ['-t', 'list', 'table', 'inet', 'mtp'])).status === 0;
}

/** Whether a target of systemd starts a unit. */
async function isWanted(root: string, unit: string): Promise<boolean> {
  const targets = ['multi-user', 'sysinit', 'network-pre', 'basic'];
  const links = targets.map((target) => path.join(root, 'etc/systemd/system', `${target}.target.wants`, unit));
  return (await Promise.all(links.map(exists))).some(Boolean);
}
