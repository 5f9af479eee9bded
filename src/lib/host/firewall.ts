import type { Exec } from '../system/exec.ts';

export type FirewallManager = 'firewalld' | 'ufw' | 'nftables' | 'iptables' | 'none' | 'unknown';

/** The manager that is in charge of incoming packets, looked for from the most to the least particular one. */
export async function findFirewall(exec: Exec, isRoot: boolean): Promise<FirewallManager> {
  const firewalld = await exec('firewall-cmd', ['--state']);
  if (firewalld.status === 0) return 'firewalld';
  const ufw = await exec('ufw', ['status']);
  if (/^Status: active/m.test(ufw.stdout)) return 'ufw';
  // What nobody but root may see is not the same as nothing.
  if (!isRoot) return 'unknown';
  const nft = await exec('nft', ['list', 'ruleset']);
  if (/\bhook input\b/.test(nft.stdout)) return 'nftables';
  const iptables = await exec('iptables-save', []);
  return /^:INPUT (DROP|REJECT)|^-A INPUT /m.test(iptables.stdout) ? 'iptables' : 'none';
}
