import { loadConfig } from '../config/load.ts';
import { EXIT, MtpError } from '../errors.ts';
import { type HostFirewall, readHostFirewall } from '../host/firewall.ts';
import { readSshFacts, type SshFacts } from '../host/ssh.ts';
import type { Exec } from '../system/exec.ts';
import type { Paths } from '../system/paths.ts';
import type { Guard } from './guard.ts';
import { type Intent, intentOf } from './intent.ts';
import { iptablesGuard } from './iptables/guard.ts';
import { nftGuard } from './nft/guard.ts';
import type { NftListing } from './nft/read.ts';
import { firewalldOpening } from './opening/firewalld.ts';
import { iptablesOpenings } from './opening/iptables.ts';
import { nftOpenings } from './opening/nft.ts';
import type { Opening } from './opening/opening.ts';
import { ufwOpening } from './opening/ufw.ts';

export type Backend = 'auto' | 'nftables' | 'iptables' | 'ufw';

/** How this machine is asked and what was wished for. */
export interface FirewallEdges {
  exec: Exec;
  env: NodeJS.ProcessEnv;
  isRoot: boolean;
  /** Undefined leaves it to the setting `firewall.backend`. */
  backend: Backend | undefined;
}

/** What is wanted and what is there, read in one go. */
export interface World {
  intent: Intent;
  host: HostFirewall;
  ssh: SshFacts;
  guard: Guard;
  /** The other back ends that can be looked at: rules of ours there are from before. */
  others: Guard[];
  now: string[];
  wanted: string[];
  openings: Opening[];
}

export async function readWorld(paths: Paths, edges: FirewallEdges): Promise<World> {
  const { exec, env, isRoot } = edges;
  assertRoot(isRoot);
  const { settings } = await loadConfig({ file: paths.configFile, env });
  const [host, ssh] = await Promise.all([readHostFirewall(exec, isRoot), readSshFacts(exec, env)]);
  const intent = intentOf(settings, ssh.ports);
  const guards = guardsOf(exec, host);
  const guard = chooseGuard(guards, host, edges.backend ?? settings.firewall.backend);
  const others: Guard[] = [];
  for (const other of guards) if (other !== guard && (await other.read()).length > 0) others.push(other);
  const [now, wanted, openings] = await Promise.all([
    guard.read(),
    guard.wanted(intent),
    readOpenings(exec, host, intent.proxyPorts),
  ]);
  return { intent, host, ssh, guard, others, now, wanted, openings };
}

export function assertRoot(isRoot: boolean): void {
  if (isRoot) return;
  throw new MtpError('NEEDS_ROOT', 'only root may see and change the rules of the firewall', {
    exit: EXIT.needsRoot,
    hint: 'Run it with sudo.',
  });
}

/** Every back end that works here, the preferred first. */
export function guardsOf(exec: Exec, { nft, iptables }: HostFirewall): Guard[] {
  return [...(nft ? [nftGuard(exec)] : []), ...(iptables === null ? [] : [iptablesGuard(exec, iptables)])];
}

function chooseGuard(guards: Guard[], host: HostFirewall, backend: Backend): Guard {
  if (backend === 'ufw' && host.ufw !== 'active') {
    throw new MtpError('FIREWALL_UFW', `ufw is ${host.ufw === 'absent' ? 'not installed' : 'not active'} here`, {
      exit: EXIT.precondition,
      hint: 'mtp never turns it on. See to SSH first (ufw allow OpenSSH), then run: ufw enable',
    });
  }
  const chosen = backend === 'auto' || backend === 'ufw' ? guards[0] : guards.find(({ kind }) => kind === backend);
  if (chosen !== undefined) return chosen;
  const what = backend === 'nftables' || backend === 'iptables' ? backend : 'neither nftables nor iptables';
  throw new MtpError('FIREWALL_NO_BACKEND', `${what}${what === backend ? ' does not work' : ' works'} here`, {
    exit: EXIT.precondition,
    hint: 'Install it with: apt install nftables. In a container the machine around it has to allow it.',
  });
}

/** Everyone who may keep clients from the ports, and whether they do. */
export async function readOpenings(exec: Exec, host: HostFirewall, ports: readonly number[]): Promise<Opening[]> {
  const { firewalld, ufw, nft, iptables } = host;
  const ruleset = nft ? (await exec('nft', ['-j', '-t', 'list', 'ruleset'])).stdout : '';
  const isManaged = firewalld || ufw === 'active';
  return [
    ...(firewalld ? [await firewalldOpening(exec, ports)] : []),
    ...(ufw === 'active' ? [await ufwOpening(exec, ports)] : []),
    ...(ruleset === '' ? [] : nftOpenings(JSON.parse(ruleset) as NftListing, ports)),
    ...(isManaged || iptables === null ? [] : await iptablesOpenings(exec, iptables, ports)),
  ];
}
