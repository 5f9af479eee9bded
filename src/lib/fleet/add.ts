import { EXIT, MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';
import type { UserFiles } from '../users/files.ts';
import { assertHost, changeFleet, type Host, nameOf, readFleet, seenOn } from './hosts.ts';
import { look, ourUsers, type Seen } from './look.ts';
import { withRemote } from './remote.ts';

/** What the operator says of a host; what is undefined is as usual. */
export interface HostWish {
  destination: string;
  name?: string | undefined;
  port?: number | undefined;
  identity?: string | undefined;
  sshConfig?: string | undefined;
  command: string;
  sudo: boolean;
  home?: string | undefined;
  address?: string | undefined;
}

/** Add a host that answers; one that does not is not kept. */
export async function addHost(
  paths: Paths & UserFiles,
  wish: HostWish,
  { dryRun }: { dryRun: boolean },
): Promise<{ host: Host; seen: Seen }> {
  const host: Host = {
    name: wish.name ?? nameOf(wish.destination),
    destination: wish.destination,
    port: wish.port ?? null,
    identity: wish.identity ?? null,
    sshConfig: wish.sshConfig ?? null,
    command: wish.command,
    sudo: wish.sudo,
    home: wish.home ?? null,
    address: wish.address ?? null,
    addedAt: new Date().toISOString(),
    lastError: null,
  };
  assertHost(host);
  refuseTwin(await readFleet(paths), host);
  const ours = await ourUsers(paths);
  const seen = await withRemote(host, async (remote) => look(remote, ours));
  if (!dryRun) {
    await changeFleet(paths, (fleet) => {
      refuseTwin(fleet, host);
      return { ...fleet, hosts: [...fleet.hosts, host] };
    });
  }
  return { host, seen };
}

function refuseTwin({ hosts }: { hosts: Host[] }, { name }: Host): void {
  if (hosts.every((host) => host.name !== name)) return;
  throw new MtpError('HOST_EXISTS', `there is already a host named ${name}`, {
    exit: EXIT.precondition,
    hint: 'Choose another with --name, or remove that one first.',
  });
}

/** Take a host off the list, and out of what is still to be done. What is on it stays. */
export async function removeHost(paths: Paths, name: string): Promise<void> {
  await changeFleet(paths, ({ hosts, rotations, ...fleet }) => ({
    ...fleet,
    hosts: hosts.filter((host) => host.name !== name),
    rotations: seenOn(rotations, name),
  }));
}
