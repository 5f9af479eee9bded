import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Exec } from '../system/exec.ts';

export interface SshFacts {
  /** Ports that SSH answers on or is configured for; empty where there is no sshd. */
  ports: number[];
  /** Address from which this session came; null outside of SSH. */
  peer: string | null;
  /** Address of this machine that the session came to; null outside of SSH. */
  server: string | null;
}

const USUAL_PORT = 22;
/** sudo and shells between us and sshd. */
const MOST_PARENTS = 16;

/** By sshd itself where it may be asked, else by its configuration file; and by what listens. */
export async function readSshFacts(exec: Exec, env: NodeJS.ProcessEnv, root = '/'): Promise<SshFacts> {
  // Client address, client port, server address, server port (ssh(1)).
  const connection = env.SSH_CONNECTION ?? (env.SUDO_UID === undefined ? '' : await connectionOfParents());
  const [peer = '', , server = '', used = ''] = connection.split(' ');
  const asked = root === '/' ? portsIn((await exec('sshd', ['-T'])).stdout) : [];
  const file = await readFile(path.join(root, 'etc/ssh/sshd_config'), 'utf8').catch(() => null);
  const configured = file === null ? [] : portsIn(file);
  const fallback = file === null ? [] : [USUAL_PORT];
  const found = [asked, configured, fallback].find((ports) => ports.length > 0) ?? [];
  const listening = root === '/' ? listeningPorts((await exec('ss', ['-Htlnp'])).stdout) : [];
  const socket = root === '/' ? await socketPorts(exec) : [];
  const ports = new Set([...found, ...listening, ...socket, ...(/^\d+$/.test(used) ? [Number(used)] : [])]);
  return { ports: [...ports], peer: peer === '' ? null : peer, server: server === '' ? null : server };
}

function portsIn(text: string): number[] {
  return [...text.matchAll(/^\s*port\s+(\d{1,5})\s*$/gim)].map(([, port]) => Number(port));
}

/** Ports on which an SSH server listens, by `ss -Htlnp`. */
export function listeningPorts(table: string): number[] {
  const servers = table.split('\n').filter((line) => /users:\(\("(sshd|dropbear)"/.test(line));
  const ports = servers.map((line) => Number(/:(\d+)$/.exec(line.trim().split(/\s+/)[3] ?? '')?.[1] ?? 0));
  return [...new Set(ports.filter((port) => port > 0))];
}

/** Ports that systemd listens on for sshd. */
async function socketPorts(exec: Exec): Promise<number[]> {
  const { stdout } = await exec('systemctl', ['show', 'ssh.socket', '--property=Listen']);
  return [...stdout.matchAll(/:(\d+) \(Stream\)/g)].map(([, port]) => Number(port));
}

/** sudo takes SSH_CONNECTION away; the shell that called it has it still. */
async function connectionOfParents(): Promise<string> {
  let pid = process.ppid;
  for (let step = 0; step < MOST_PARENTS && pid > 1; step++) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    const found = environment.split('\0').find((entry) => entry.startsWith('SSH_CONNECTION='));
    if (found !== undefined) return found.slice('SSH_CONNECTION='.length);
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    pid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
  }
  return '';
}
