import { readFile } from 'node:fs/promises';
import type { Interfaces } from './address.ts';

/** An address that its operator may come from, and what it is. */
export interface OperatorAddress {
  address: string;
  /** Completes "192.0.2.1, …". */
  what: string;
}

/** More processes between a shell and a command are none of a person's doing. */
const MOST_PARENTS = 20;

/** Where the session comes from that runs this, and the addresses of the machine but for its own loop. */
export async function operatorAddresses(env: NodeJS.ProcessEnv, interfaces: Interfaces): Promise<OperatorAddress[]> {
  const peer = await sshPeer(env, process.ppid);
  const own = Object.values(interfaces).flatMap((entries) => (entries ?? []).filter(({ internal }) => !internal));
  const all = [
    ...(peer === null ? [] : [{ address: peer, what: 'which this session comes from' }]),
    ...own.map(({ address }) => ({ address, what: 'an address of this machine' })),
  ];
  return all.filter(({ address }, at) => all.findIndex((one) => one.address === address) === at);
}

/** The address of who is logged in by SSH; sudo takes the variable away, so those of the processes above are looked at, too. */
async function sshPeer(env: NodeJS.ProcessEnv, parent: number): Promise<string | null> {
  let [found, pid] = [env.SSH_CONNECTION, parent];
  for (let left = MOST_PARENTS; found === undefined && pid > 1 && left > 0; left--) {
    const text = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    found = text
      .split('\0')
      .find((line) => line.startsWith('SSH_CONNECTION='))
      ?.slice('SSH_CONNECTION='.length);
    pid = await parentOf(pid);
  }
  // Client address, client port, server address, server port (ssh(1)).
  return found?.split(' ')[0] || null;
}

/** Field 4 of `/proc/PID/stat`, counted behind the name, which may hold spaces; 0 where it cannot be read. */
async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}
