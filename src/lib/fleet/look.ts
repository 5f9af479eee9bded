import { createSecretKey } from 'node:crypto';
import { MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';
import { digestUsers, type UserDigest } from '../users/digest.ts';
import type { UserFiles } from '../users/files.ts';
import { loadUsers } from '../users/load.ts';
import { compareUsers, type Differences, isSame } from './compare.ts';
import type { Host } from './hosts.ts';
import { askDigests, askStatus, makeDigestKey, type Remote, withRemote } from './remote.ts';

/** Our users, and a key that other hosts get for theirs. */
export interface Ours {
  key: string;
  digests: UserDigest[];
}

/** A host as it was seen. */
export interface Seen {
  version: string;
  /** Null while no proxy runs there. */
  revision: string | null;
  users: number;
  differences: Differences;
  inSync: boolean;
  /** What its proxy reports. */
  engineError: string | null;
}

/** Our users as they are now. */
export async function ourUsers(paths: Paths & UserFiles): Promise<Ours> {
  const key = makeDigestKey();
  const { users } = await loadUsers(paths);
  return { key, digests: digestUsers(users, createSecretKey(Buffer.from(key, 'hex')), Date.now()) };
}

/** Look at a host through a connection that is there. */
export async function look(remote: Remote, { key, digests }: Ours): Promise<Seen> {
  const [{ version, users }, status] = await Promise.all([askDigests(remote, key), askStatus(remote)]);
  const differences = compareUsers(digests, users);
  return {
    version,
    revision: status?.revision ?? null,
    users: users.length,
    differences,
    inSync: isSame(differences),
    engineError: status?.engine.lastError?.message ?? null,
  };
}

/** A host that was seen, or why it was not. */
export type Look = { host: Host; seen: Seen; error: null } | { host: Host; seen: null; error: MtpError };

const AT_ONCE = 8;

/** Look at many hosts, some at a time; one that cannot be reached keeps none from being seen. */
export async function lookAtAll(hosts: Host[], ours: Ours): Promise<Look[]> {
  const looks: Look[] = [];
  for (let at = 0; at < hosts.length; at += AT_ONCE) {
    looks.push(...(await Promise.all(hosts.slice(at, at + AT_ONCE).map(async (host) => lookAt(host, ours)))));
  }
  return looks;
}

async function lookAt(host: Host, ours: Ours): Promise<Look> {
  const seen = await attempt(async () => withRemote(host, async (remote) => look(remote, ours)));
  return seen instanceof MtpError ? { host, seen: null, error: seen } : { host, seen, error: null };
}

/** A result, or the error that a person can do something about; a bug stays one. */
export async function attempt<Result>(action: () => Promise<Result>): Promise<Result | MtpError> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof MtpError) return error;
    throw error;
  }
}
