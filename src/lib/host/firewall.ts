import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Exec } from '../system/exec.ts';

export type FirewallManager =
  'firewalld' | 'ufw' | 'nftables' | 'iptables-nft' | 'iptables-legacy' | 'none' | 'unknown';

/** The programs of one variant of iptables: `iptables`, `iptables-legacy` … */
export interface Iptables {
  variant: 'nft' | 'legacy';
  v4: string;
  /** Null where the kernel has no IPv6 for it. */
  v6: string | null;
}

/** What looks after packets on this machine. */
export interface HostFirewall {
  /** Who is in charge of incoming packets, the most particular one; unknown where only root may see it. */
  manager: FirewallManager;
  ufw: 'active' | 'inactive' | 'absent';
  firewalld: boolean;
  /** nft is there, and the kernel answers it. */
  nft: boolean;
  /** The variant whose rules are in force, or the usual one; null where there is none, or the kernel has no part in it. */
  iptables: Iptables | null;
  /** Ports that Docker publishes by rules of its own; null where it has none. */
  docker: number[] | null;
}

/** Who is in charge of incoming packets, looked for from the most to the least particular one. Changes nothing. */
export async function readHostFirewall(exec: Exec, isRoot: boolean, root = '/'): Promise<HostFirewall> {
  const [state, ufwStatus] = await Promise.all([exec('firewall-cmd', ['--state']), exec('ufw', ['status'])]);
  const firewalld = state.status === 0;
  const ufw = ufwStatus.status === null ? 'absent' : /^Status: active/m.test(ufwStatus.stdout) ? 'active' : 'inactive';
  const named = firewalld ? 'firewalld' : ufw === 'active' ? 'ufw' : undefined;
  // What nobody but root may see is not the same as nothing.
  if (!isRoot) return { manager: named ?? 'unknown', ufw, firewalld, nft: false, iptables: null, docker: null };
  const ruleset = await exec('nft', ['list', 'ruleset']);
  const { iptables, saved } = await readIptables(exec, root);
  const inForce = iptables !== null && /^:INPUT (DROP|REJECT)|^-A INPUT /m.test(saved);
  const found = hasOwnInput(ruleset.stdout) ? 'nftables' : inForce ? (`iptables-${iptables.variant}` as const) : 'none';
  return {
    manager: named ?? found,
    ufw,
    firewalld,
    nft: ruleset.status === 0,
    iptables,
    docker: /^:DOCKER /m.test(saved) || /^table ip docker-/m.test(ruleset.stdout) ? publishedPorts(saved) : null,
  };
}

/** Whether a table that is neither ours nor one of iptables or firewalld looks at incoming packets. */
function hasOwnInput(ruleset: string): boolean {
  const tables = ruleset
    .split(/^(?=table )/m)
    .filter((text) => !/^table (inet mtp|\w+ firewalld|\w+ f2b-\S+) /.test(text));
  // The chains of iptables have names in capitals.
  return tables.some((text) => /^\tchain (?!INPUT )\S+ \{\n\t\ttype filter hook input /m.test(text));
}

async function readIptables(exec: Exec, root: string): Promise<{ iptables: Iptables | null; saved: string }> {
  const { iptables, saved } = await findVariant(exec, root);
  if (iptables === null) return { iptables, saved };
  const answers = (await exec(`${iptables.v6 ?? ''}-save`, ['-t', 'filter'])).status === 0;
  return { iptables: answers ? iptables : { ...iptables, v6: null }, saved };
}

async function findVariant(exec: Exec, root: string): Promise<{ iptables: Iptables | null; saved: string }> {
  const { stdout, status } = await exec('iptables', ['--version']);
  const usual: Iptables = { variant: /legacy/.test(stdout) ? 'legacy' : 'nft', v4: 'iptables', v6: 'ip6tables' };
  const saved = status === 0 ? await exec('iptables-save', []) : undefined;
  // Asking iptables-legacy would make its tables; the kernel names those that are there.
  const tables = await readFile(path.join(root, 'proc/net/ip_tables_names'), 'utf8').catch(() => '');
  if (usual.variant === 'nft' && tables.trim() !== '' && !/^-A /m.test(saved?.stdout ?? '')) {
    const legacy = await exec('iptables-legacy-save', []);
    if (/^-A |^:INPUT (DROP|REJECT)/m.test(legacy.stdout)) {
      return { iptables: { variant: 'legacy', v4: 'iptables-legacy', v6: 'ip6tables-legacy' }, saved: legacy.stdout };
    }
  }
  return { iptables: saved?.status === 0 ? usual : null, saved: saved?.stdout ?? '' };
}

/** Ports that rules of the chain DOCKER send on to containers. */
export function publishedPorts(saved: string): number[] {
  const ports = [...saved.matchAll(/^-A DOCKER .*--dport (\d+)\b.* -j DNAT /gm)].map(([, port]) => Number(port));
  return [...new Set(ports)].toSorted((a, b) => a - b);
}
