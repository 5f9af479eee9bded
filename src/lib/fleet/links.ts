import { loadAccess, bestLink } from '../link/access.ts';
import type { Paths } from '../system/paths.ts';
import type { UserFiles } from '../users/files.ts';
import { loadUser } from '../users/load.ts';
import { requireSecret } from '../users/user.ts';
import { MtpError } from '../errors.ts';
import { type Host, hostNamed, readFleet } from './hosts.ts';
import { attempt } from './look.ts';
import { askLink, type RemoteLink, withRemote } from './remote.ts';

/** What this host is called beside the others. */
export const THIS_HOST = 'this host';

export interface HostLink {
  host: string;
  /** Null where there is none. */
  link: RemoteLink | null;
  error: string | null;
}

/** The links of a user, one a host, this one first: each has an address, a port and a cover of its own. */
export async function fleetLinks(paths: Paths & UserFiles, name: string): Promise<HostLink[]> {
  const { user } = await loadUser(paths, name);
  const { hosts } = await readFleet(paths);
  const access = await loadAccess(paths);
  const { server, port, reach, warnings } = access;
  const own = { ...bestLink(requireSecret(user), access), server, port, reach, warnings };
  const others = await Promise.all(hosts.map(async (host) => linkOf(host, user.name)));
  return [{ host: THIS_HOST, link: own, error: null }, ...others];
}

async function linkOf(host: Host, name: string): Promise<HostLink> {
  const link = await attempt(async () => withRemote(host, async (remote) => askLink(remote, name)));
  return link instanceof MtpError
    ? { host: host.name, link: null, error: link.message }
    : { host: host.name, link, error: null };
}

/** The link of a user on one other host. */
export async function linkOn(paths: Paths & UserFiles, host: string, name: string): Promise<RemoteLink> {
  const found = hostNamed((await readFleet(paths)).hosts, host);
  return withRemote(found, async (remote) => askLink(remote, name));
}
