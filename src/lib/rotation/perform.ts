import { loadConfig } from '../config/load.ts';
import { type Access, bestLink, loadAccess, type UserLink } from '../link/access.ts';
import type { Paths } from '../system/paths.ts';
import type { UserFiles } from '../users/files.ts';
import { type Effect, takeEffect } from '../users/take-effect.ts';
import { type SecretView, viewSecret } from '../users/describe.ts';
import { type KeptOut, keptOut, type UserRecord } from '../users/user.ts';
import { type Announcement, announcementOf, announceDue, whileAnnouncing } from './announce.ts';
import { type How, planRotation, type Rotated, rotateSecrets, type Whose } from './rotate.ts';
import type { Grace } from './states.ts';

/** How the operator wishes that old secrets go; what is undefined is as the settings say. */
export interface GraceWish {
  emergency: boolean;
  graceMs?: number | undefined;
  limitNetworks?: number | null | undefined;
}

export interface RotationReport {
  rotated: {
    name: string;
    userId: string;
    secret: string;
    link: UserLink;
    before: SecretView[];
    /** Why nobody gets in with either, and the command that ends that. */
    keptOut: KeptOut | null;
  }[];
  grace: Grace | null;
  effect: Effect;
  hook: Announcement;
  warnings: string[];
}

/** How secrets go that are replaced now. */
export async function howTo(paths: Paths, wish: GraceWish): Promise<How> {
  if (wish.emergency) return 'emergency';
  const { settings } = await loadConfig({ file: paths.configFile, env: process.env });
  const { grace, limit_networks } = settings.rotation;
  return {
    graceMs: wish.graceMs ?? grace,
    limitNetworks: wish.limitNetworks === undefined ? limit_networks : wish.limitNetworks,
  };
}

/** Whose secrets would be replaced now. */
export async function planFor(paths: UserFiles, whose: Whose): Promise<UserRecord[]> {
  return planRotation(paths, whose, Date.now());
}

/** Who waits for the hook of somebody else's rotation waits no longer. */
const TURN_MS = 60_000;

/** Replace secrets, have the running proxy show that it is so, and tell the operator's hook. */
export async function performRotation(paths: Paths & UserFiles, whose: Whose, how: How): Promise<RotationReport> {
  return whileAnnouncing(paths, async () => rotateAndTell(paths, whose, how), TURN_MS);
}

async function rotateAndTell(paths: Paths & UserFiles, whose: Whose, how: How): Promise<RotationReport> {
  const { id, rotated } = await rotateSecrets(paths, whose, how, how === 'emergency' ? 'emergency' : 'command');
  const names = nameSome(rotated.map(({ user }) => user));
  const effect = await takeEffect(paths, {
    done: `new secrets of ${names} are kept`,
    later: `${rotated.length === 1 ? names : 'they'} can connect with the new one once it is started`,
  });
  const access = await loadAccess(paths);
  const told = await announceDue(paths, access, { now: Date.now });
  return {
    rotated: rotated.map((one) => describe(one, access)),
    grace: how === 'emergency' ? null : how,
    effect,
    hook: announcementOf(id, told),
    warnings: access.warnings,
  };
}

function describe({ user, fresh, before }: Rotated, access: Access): RotationReport['rotated'][number] {
  const secret = user.secrets.find(({ id }) => id === fresh) as Rotated['user']['secrets'][number];
  return {
    name: user.name,
    userId: user.id,
    secret: fresh,
    link: bestLink(secret, access),
    before: before.map(viewSecret),
    keptOut: keptOut(user, Date.now()) ?? null,
  };
}

/** Names as a person lists them; many are cut short. */
export function nameSome(users: Pick<UserRecord, 'name'>[]): string {
  const names = users.map(({ name }) => name);
  return names.length > 5 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
}
