import { EXIT, MtpError } from '../errors.ts';
import { howTo, performRotation, type GraceWish } from '../rotation/perform.ts';
import type { Paths } from '../system/paths.ts';
import { csvWithSecrets } from '../users/export.ts';
import type { UserFiles } from '../users/files.ts';
import { findUser, loadUser } from '../users/load.ts';
import { takeEffect } from '../users/take-effect.ts';
import { currentSecret, type UserRecord } from '../users/user.ts';
import { changeFleet, chooseHosts, type Host, noteOutcome, type PendingRotation, readFleet, seenOn } from './hosts.ts';
import { attempt } from './look.ts';
import { push, withRemote } from './remote.ts';
import { type HostOutcome, tell } from './sync.ts';

/** What a rotation over the fleet would do. */
export interface FleetRotation {
  user: UserRecord;
  /** An earlier one that has not been seen everywhere, and goes on. */
  resumes: PendingRotation | null;
  hosts: Host[];
}

export interface FleetRotated {
  name: string;
  /** Id of the secret in use now, on this host. */
  secret: string;
  resumed: boolean;
  /** What the proxy of this host was seen to do. */
  here: string;
  hosts: HostOutcome[];
}

/** Whose secret goes where. Without `emergency` a rotation that is not complete is gone on with. */
export async function planFleetRotation(
  paths: Paths & UserFiles,
  name: string,
  { emergency }: { emergency: boolean },
): Promise<FleetRotation> {
  const [user, fleet] = [await findUser(paths, name), await readFleet(paths)];
  const hosts = chooseHosts(fleet, []);
  const pending = fleet.rotations.find(({ userId }) => userId === user.id);
  const resumes = pending === undefined || (emergency && !pending.emergency) ? null : pending;
  return {
    user,
    resumes,
    hosts: resumes === null ? hosts : hosts.filter((host) => resumes.missing.includes(host.name)),
  };
}

/** What to show on the way: a title, and what is done under it. */
type Step = <Result>(title: string, task: () => Promise<Result>) => Promise<Result>;

/**
 * Replace the secret here first, with proof, then on one host after the other. What is still to be done is written down before
 * anything is, so that it can be gone on with after any end. A host that does not bear it out stops it; one that is not there
 * does not.
 */
export async function performFleetRotation(
  paths: Paths & UserFiles,
  { user, resumes, hosts }: FleetRotation,
  wish: GraceWish,
  step: Step,
): Promise<FleetRotated> {
  const here = await step('this host', async () => rotateHere(paths, user, resumes, hosts, wish));
  const outcomes: HostOutcome[] = [];
  for (const host of hosts) {
    const stopped = outcomes.some(({ state }) => state === 'failed');
    outcomes.push(stopped ? waiting(host) : await step(host.name, async () => rotateThere(paths, host, user)));
  }
  const secret = currentSecret(await findUser(paths, user.name))?.id ?? '';
  return { name: user.name, secret, resumed: resumes !== null, here, hosts: outcomes };
}

async function rotateHere(
  paths: Paths & UserFiles,
  user: UserRecord,
  resumes: PendingRotation | null,
  hosts: Host[],
  wish: GraceWish,
): Promise<string> {
  if (resumes !== null && wasMade(user, resumes)) {
    const later = `${user.name} can connect with the new one once it is started`;
    return (await takeEffect(paths, { done: `the new secret of ${user.name} is kept`, later })).sentence;
  }
  const pending: PendingRotation = {
    userId: user.id,
    name: user.name,
    startedAt: new Date().toISOString(),
    emergency: wish.emergency,
    missing: hosts.map(({ name }) => name),
  };
  await changeFleet(paths, (fleet) => ({
    ...fleet,
    rotations: [...fleet.rotations.filter(({ userId }) => userId !== user.id), pending],
  }));
  const report = await performRotation(paths, { names: [user.name], olderThanMs: null }, await howTo(paths, wish));
  return report.effect.sentence;
}

/** Whether the new secret was made before it was cut off. */
function wasMade({ secrets }: UserRecord, { startedAt }: PendingRotation): boolean {
  return secrets.some(({ state, createdAt }) => state === 'active' && createdAt >= Date.parse(startedAt));
}

async function rotateThere(paths: Paths & UserFiles, host: Host, { id, name }: UserRecord): Promise<HostOutcome> {
  const outcome = await attempt(async () => {
    const { user } = await loadUser(paths, name);
    if (user.id !== id)
      throw new MtpError('USER_UNKNOWN', `${name} is somebody else by now`, { exit: EXIT.precondition });
    return withRemote(host, async (remote) => push(remote, csvWithSecrets([user]), { removeOthers: false }));
  });
  const seen = !(outcome instanceof MtpError);
  if (seen) {
    await changeFleet(paths, ({ rotations, ...fleet }) => ({
      ...fleet,
      rotations: [
        ...rotations.filter(({ userId }) => userId !== id),
        ...seenOn(
          rotations.filter(({ userId }) => userId === id),
          host.name,
        ),
      ],
    }));
  }
  await noteOutcome(paths, host.name, seen ? null : outcome.message);
  return tell(host, outcome);
}

function waiting({ name }: Host): HostOutcome {
  return { host: name, state: 'waiting', detail: 'not begun, because a host before it failed', proofs: [] };
}
