import { getStatus } from '../control/client.ts';
import { EXIT } from '../errors.ts';
import type { Paths } from '../system/paths.ts';
import type { UserFiles } from '../users/files.ts';
import type { FleetRow } from './describe.ts';
import { chooseHosts, type PendingRotation, readFleet } from './hosts.ts';
import { THIS_HOST } from './links.ts';
import { type Look, lookAtAll, ourUsers } from './look.ts';

export interface FleetStatus {
  /** This host first. */
  hosts: FleetRow[];
  rotations: PendingRotation[];
  /** The status that says how it is. */
  exit: number;
}

/** How this host and others do, all or those that are named, as they were seen just now. */
export async function fleetStatus(paths: Paths & UserFiles, names: string[], version: string): Promise<FleetStatus> {
  const fleet = await readFleet(paths);
  const hosts = chooseHosts(fleet, names);
  const ours = await ourUsers(paths);
  const [status, looks] = await Promise.all([getStatus(paths), lookAtAll(hosts, ours)]);
  const here: FleetRow = {
    host: THIS_HOST,
    version,
    revision: status?.revision ?? null,
    users: ours.digests.length,
    state: 'first',
    differences: null,
    error: status?.engine.lastError?.message ?? null,
  };
  const rows = [here, ...looks.map((one) => rowOf(one, version))];
  return { hosts: rows, rotations: fleet.rotations, exit: exitOf(rows) };
}

function rowOf({ host, seen, error }: Look, ours: string): FleetRow {
  if (seen === null) {
    return {
      host: host.name,
      version: null,
      revision: null,
      users: null,
      state: 'unreachable',
      differences: null,
      error: error.message,
    };
  }
  const { version, revision, users, differences, inSync, engineError } = seen;
  const another = version === ours ? null : `${host.name} has mtp ${version}, and this host ${ours}`;
  return {
    host: host.name,
    version,
    revision,
    users,
    state: inSync ? 'in sync' : 'differs',
    differences,
    error: engineError ?? host.lastError?.message ?? another,
  };
}

function exitOf(rows: FleetRow[]): number {
  if (rows.some(({ state }) => state === 'unreachable')) return EXIT.failed;
  return rows.some(({ state }) => state === 'differs') ? EXIT.warnings : EXIT.ok;
}
