import os from 'node:os';
import { findContainer } from '../host/container.ts';
import { type AddressFacts, clockDrift, judgeAddress } from '../host/address.ts';
import { type FirewallManager, readHostFirewall } from '../host/firewall.ts';
import { type MachineFacts, readMachineFacts } from '../host/machine.ts';
import { askOutside } from '../host/outside.ts';
import { readSshFacts, type SshFacts } from '../host/ssh.ts';
import { askTelegram, type DcFacts } from '../host/telegram.ts';
import type { Settings } from '../config/schema.ts';
import type { ProbeEdges } from '../probe/dc.ts';
import type { Exec } from '../system/exec.ts';

/** What is known before anything is asked. */
export interface HostFacts {
  machine: MachineFacts;
  processors: number;
  container: string | null;
  ipv4: AddressFacts;
  ipv6: AddressFacts;
  /** How far the clock is ahead, in ms; null where nobody told. */
  driftMs: number | null;
  telegram: DcFacts[];
  firewall: FirewallManager;
  ssh: SshFacts;
}

export interface FactEdges {
  root: string;
  exec: Exec;
  env: NodeJS.ProcessEnv;
  isRoot: boolean;
  addressUrls: string[];
  probe: ProbeEdges;
}

/** Everything at once: it is as slow as the slowest answer. */
export async function readHostFacts(
  settings: Pick<Settings, 'telegram' | 'upstream'>,
  { root, exec, env, isRoot, addressUrls, probe }: FactEdges,
): Promise<HostFacts> {
  const interfaces = os.networkInterfaces();
  const outside = async (family: 4 | 6) =>
    Promise.all(addressUrls.map(async (url) => askOutside(url, family, probe.now)));
  const hasIpv6 = judgeAddress(interfaces, 6, []).address !== null;
  const [machine, container, seen4, seen6, telegram, { manager: firewall }, ssh] = await Promise.all([
    readMachineFacts(root),
    findContainer(root),
    outside(4),
    hasIpv6 ? outside(6) : [],
    askTelegram(settings, probe),
    readHostFirewall(exec, isRoot),
    readSshFacts(exec, env, root),
  ]);
  return {
    machine,
    processors: os.availableParallelism(),
    container: container ?? null,
    ipv4: judgeAddress(interfaces, 4, seen4),
    ipv6: judgeAddress(interfaces, 6, seen6),
    driftMs: clockDrift([...seen4, ...seen6]),
    telegram,
    firewall,
    ssh,
  };
}
