import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { ensureDirectory, fileError, writeAtomic } from '../system/files.ts';
import { withLock } from '../system/lock.ts';
import type { Paths } from '../system/paths.ts';
import { z } from '../system/zod.ts';

/** Other machines with the same users, as this one keeps them. No secrets. */

const NAME = /^[A-Za-z0-9][\w.-]{0,62}$/;

const hostSchema = z.strictObject({
  /** What the operator calls it. */
  name: z.string().regex(NAME),
  /** As ssh takes it: `user@host`, a name of its configuration, or `ssh://user@host:port`. */
  destination: z.string().min(1),
  port: z.number().int().min(1).max(65_535).nullable(),
  /** File of a private key; null is as ssh finds one. */
  identity: z.string().nullable(),
  /** Configuration file of ssh; null is its own. */
  sshConfig: z.string().nullable(),
  /** `mtp` there. */
  command: z.string().min(1),
  /** Whether it runs through `sudo -n`. */
  sudo: z.boolean(),
  /** `--home` there. */
  home: z.string().nullable(),
  /** Name or address in links; null leaves it to the host. */
  address: z.string().nullable(),
  addedAt: z.iso.datetime(),
  /** What went wrong last, until something goes right. */
  lastError: z.strictObject({ at: z.iso.datetime(), message: z.string() }).nullable(),
});

/** A rotation that has not been seen on every host. */
const rotationSchema = z.strictObject({
  userId: z.string(),
  name: z.string(),
  startedAt: z.iso.datetime(),
  emergency: z.boolean(),
  /** Names of hosts. */
  missing: z.array(z.string()),
});

const fleetSchema = z.strictObject({
  version: z.literal(1, 'must be 1, the only one that this version of mtp knows'),
  hosts: z.array(hostSchema),
  rotations: z.array(rotationSchema),
});

export type Host = z.infer<typeof hostSchema>;
export type PendingRotation = z.infer<typeof rotationSchema>;
export type Fleet = z.infer<typeof fleetSchema>;

type Where = Pick<Paths, 'state'>;
const EMPTY: Fleet = { version: 1, hosts: [], rotations: [] };
const OTHERS_MAY_WRITE = 0o022;

function fileOf({ state }: Where): string {
  return path.join(state, 'fleet.json');
}

/** The fleet of this installation; empty where nothing was added. */
export async function readFleet(where: Where): Promise<Fleet> {
  const file = fileOf(where);
  const text = await readOwn(file);
  if (text === undefined) return EMPTY;
  const { data, error } = fleetSchema.safeParse(asJson(text));
  if (data !== undefined) return data;
  const [issue] = error.issues;
  throw new MtpError('FLEET_DAMAGED', `cannot use ${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, {
    exit: EXIT.precondition,
    hint: 'Put it right, or remove it and add the hosts again; what is on them stays.',
  });
}

/**
 * What ssh is told comes from this file, and ssh runs with our rights: as root it has to be root's, though the directory is
 * the service's.
 */
async function readOwn(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { uid, mode } = await handle.stat();
      if (uid === process.getuid?.() && (mode & OTHERS_MAY_WRITE) === 0) return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw fileError('read', file, error);
  }
  throw new MtpError('FLEET_FOREIGN', `${file} belongs to somebody else, or others may write it`, {
    exit: EXIT.precondition,
    hint: 'Run as its owner. If you know what it says: chown it to yourself, and chmod 600.',
  });
}

/** Change the fleet, one process at a time. */
export async function changeFleet(where: Where, change: (fleet: Fleet) => Fleet): Promise<Fleet> {
  const file = fileOf(where);
  await ensureDirectory(where.state);
  return withLock(`${file}.lock`, async () => {
    const fleet = fleetSchema.parse(change(await readFleet(where)));
    await writeAtomic(file, `${JSON.stringify(fleet, null, 2)}\n`, 0o600, 'us');
    return fleet;
  });
}

/** The hosts of these names, or all; a name that is not there is an error. */
export function chooseHosts({ hosts }: Fleet, names: string[]): Host[] {
  if (hosts.length === 0) {
    throw new MtpError('FLEET_EMPTY', 'there is no other host yet', {
      exit: EXIT.precondition,
      hint: 'Add one with: mtp fleet add HOST',
    });
  }
  return names.length === 0 ? hosts : names.map((name) => hostNamed(hosts, name));
}

export function hostNamed(hosts: Host[], name: string): Host {
  const host = hosts.find((one) => one.name === name);
  if (host !== undefined) return host;
  throw new MtpError('HOST_UNKNOWN', `there is no host named ${JSON.stringify(name.slice(0, 80))}`, {
    exit: EXIT.usage,
    hint:
      hosts.length === 0 ? 'Add one with: mtp fleet add HOST' : `There is ${hosts.map((one) => one.name).join(', ')}.`,
  });
}

/** What a host is called where nobody says: the host of its destination. */
export function nameOf(destination: string): string {
  const host = destination.replace(/^ssh:\/\//, '').replace(/^.*@/, '');
  return destination.startsWith('ssh://') ? host.replace(/:\d+\/?$/, '') : host;
}

/** Refuse a destination that ssh would take for an option, and a name that would not fit a table. */
export function assertHost({ name, destination }: Pick<Host, 'name' | 'destination'>): void {
  if (!/^[^\s\p{Cc}-][^\s\p{Cc}]{0,254}$/u.test(destination)) {
    throw new MtpError('HOST_INVALID', `${JSON.stringify(destination.slice(0, 80))} cannot be a destination of ssh`, {
      exit: EXIT.usage,
      hint: 'Write user@host, or a name of ~/.ssh/config.',
    });
  }
  if (NAME.test(name)) return;
  throw new MtpError('HOST_INVALID', `${JSON.stringify(name.slice(0, 80))} cannot be the name of a host`, {
    exit: EXIT.usage,
    hint: 'Give it one of letters, digits and . - _ with --name.',
  });
}

/** A host with what was found when it was asked last. */
export async function noteOutcome(where: Where, name: string, error: string | null): Promise<void> {
  const lastError = error === null ? null : { at: new Date().toISOString(), message: error };
  const present = (await readFleet(where)).hosts.find((host) => host.name === name);
  if (present === undefined || (present.lastError === null && lastError === null)) return;
  await changeFleet(where, (fleet) => ({
    ...fleet,
    hosts: fleet.hosts.map((host) => (host.name === name ? { ...host, lastError } : host)),
  }));
}

/** Rotations that miss none of these hosts any more are over. */
export function seenOn(rotations: PendingRotation[], host: string): PendingRotation[] {
  return rotations
    .map((rotation) => ({ ...rotation, missing: rotation.missing.filter((name) => name !== host) }))
    .filter(({ missing }) => missing.length > 0);
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
