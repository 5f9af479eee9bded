import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Exec } from '../system/exec.ts';

export interface SshFacts {
  /** Ports that sshd is configured for; empty where there is no sshd. */
  ports: number[];
  /** Address from which this session came; null outside of SSH. */
  peer: string | null;
}

const USUAL_PORT = 22;

/** By sshd itself where it may be asked, else by its configuration file. */
export async function readSshFacts(exec: Exec, env: NodeJS.ProcessEnv, root = '/'): Promise<SshFacts> {
  // Client address, client port, server address, server port (ssh(1)).
  const [peer = '', , , used = ''] = (env.SSH_CONNECTION ?? '').split(' ');
  const asked = root === '/' ? portsIn((await exec('sshd', ['-T'])).stdout) : [];
  const file = await readFile(path.join(root, 'etc/ssh/sshd_config'), 'utf8').catch(() => null);
  const configured = file === null ? [] : portsIn(file);
  const fallback = file === null ? [] : [USUAL_PORT];
  const found = [asked, configured, fallback].find((ports) => ports.length > 0) ?? [];
  const ports = new Set(/^\d+$/.test(used) ? [...found, Number(used)] : found);
  return { ports: [...ports], peer: peer === '' ? null : peer };
}

function portsIn(text: string): number[] {
  return [...text.matchAll(/^\s*port\s+(\d{1,5})\s*$/gim)].map(([, port]) => Number(port));
}
