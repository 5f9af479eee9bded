import os from 'node:os';
import { contains, formatPrefix, type Prefix } from '../access/prefix.ts';
import { EXIT, MtpError } from '../errors.ts';
import { type Ledger, readLedger } from '../ledger/open.ts';
import type { UserFiles } from '../users/files.ts';
import { assertReason } from '../users/user.ts';
import { readUsers, withUsers } from '../users/with-users.ts';
import type { Allowed, Ban, Suspicion } from './ban.ts';
import { type Exempt, hitBy } from './exempt.ts';
import {
  changeGuard,
  deleteAllowed,
  endBan,
  insertBan,
  putAllowed,
  readAllowed,
  readBans,
  readHistory,
  readSuspicions,
} from './store.ts';

/** What commands do with bans and allowed networks: the ledger is changed, and read again to see that it was. */

export const BY_HAND = 'by hand';

export interface BanWish {
  prefix: Prefix;
  verdict: Ban['verdict'];
  reason: string;
  /** Unix ms; null is until it is lifted. */
  until: number | null;
}

/** Refuse what could not be banned; nothing is changed. */
export async function assertBannable(
  files: UserFiles,
  wishes: readonly BanWish[],
  { now, exempted }: { now: number; exempted: readonly Exempt[] },
): Promise<void> {
  refuseWishes(wishes, exempted);
  const allowed = await listAllowed(files, now);
  for (const { prefix } of wishes) refuseAllowed(prefix, allowed);
}

/** Ban networks, all or none. Who must not be banned is an error that says why. */
export async function banNetworks(
  files: UserFiles,
  wishes: readonly BanWish[],
  { now, exempted }: { now: number; exempted: readonly Exempt[] },
): Promise<Ban[]> {
  refuseWishes(wishes, exempted);
  const actor = operator();
  const bans = wishes.map((wish): Ban => ({ ...wish, rule: BY_HAND, evidence: null, actor, from: now, ended: null }));
  return withUsers(files, async (ledger) => {
    await changeGuard(ledger, async (change) => {
      const allowed = await readAllowed(change, now);
      for (const { prefix } of bans) refuseAllowed(prefix, allowed);
      for (const ban of bans) await insertBan(change, ban);
    });
    const kept = new Set((await readBans(ledger, now)).map(({ prefix }) => formatPrefix(prefix)));
    const lost = bans.find(({ prefix, until }) => (until ?? Infinity) > now && !kept.has(formatPrefix(prefix)));
    if (lost !== undefined) throw notKept(files, lost.prefix);
    return bans;
  });
}

/** Lift the bans of these networks, all or none: one that has no ban is an error. Returns how many there were. */
export async function liftBans(files: UserFiles, prefixes: readonly Prefix[], now: number): Promise<number> {
  return withUsers(files, async (ledger) =>
    changeGuard(ledger, async (change) => {
      const bans = await readBans(change, now);
      for (const prefix of prefixes) if (!(await endBan(change, prefix, now))) throw noBan(prefix, bans);
      return prefixes.length;
    }),
  );
}

/** Lift every ban; returns them. */
export async function liftAllBans(files: UserFiles, now: number): Promise<Ban[]> {
  return withUsers(files, async (ledger) =>
    changeGuard(ledger, async (change) => {
      const bans = await readBans(change, now);
      for (const { prefix } of bans) await endBan(change, prefix, now);
      return bans;
    }),
  );
}

export async function listBans(files: UserFiles, now: number): Promise<Ban[]> {
  return readUsers(files, [], async (ledger) => readBans(ledger, now));
}

/** Never ban these networks; bans of them, and of what lies in them, are lifted. Returns those. */
export async function allowNetworks(
  files: UserFiles,
  wishes: readonly Pick<Allowed, 'prefix' | 'reason' | 'until'>[],
  now: number,
): Promise<{ lifted: Ban[] }> {
  for (const { reason } of wishes) if (reason !== '') assertReason(reason);
  return withUsers(files, async (ledger) =>
    changeGuard(ledger, async (change) => {
      const inside = (await readBans(change, now)).filter((ban) =>
        wishes.some(({ prefix }) => contains(prefix, ban.prefix.words, ban.prefix.bits)),
      );
      for (const { prefix } of inside) await endBan(change, prefix, now);
      for (const wish of wishes) await putAllowed(change, { ...wish, actor: operator(), createdAt: now });
      return { lifted: inside };
    }),
  );
}

/** Allow these networks no more; one that was not allowed is an error. */
export async function disallowNetworks(files: UserFiles, prefixes: readonly Prefix[]): Promise<void> {
  await withUsers(files, async (ledger) =>
    changeGuard(ledger, async (change) => {
      for (const prefix of prefixes) {
        if (await deleteAllowed(change, prefix)) continue;
        throw new MtpError('NOT_ALLOWED', `${formatPrefix(prefix)} is not on the list of allowed networks`, {
          exit: EXIT.precondition,
          hint: 'Nothing was changed. See the list with: mtp allow list',
        });
      }
    }),
  );
}

export async function listAllowed(files: UserFiles, now: number): Promise<Allowed[]> {
  return readUsers(files, [], async (ledger) => readAllowed(ledger, now));
}

/** What is known of an address: the ban that holds for it, what allows it, and all that its network did. */
export interface Account {
  ban: Ban | null;
  allowed: Allowed | null;
  /** Of the network that it would be banned with, oldest first. */
  history: Ban[];
  /** Newest first. */
  suspicions: Suspicion[];
}

export async function accountOf(files: UserFiles, address: Prefix, network: Prefix, now: number): Promise<Account> {
  const none: Account = { ban: null, allowed: null, history: [], suspicions: [] };
  return readUsers(files, none, async (ledger) =>
    readLedger(ledger, async (reading) => ({
      ban: narrowest(await readBans(reading, now), address),
      allowed: narrowest(await readAllowed(reading, now), address),
      history: await readHistory(reading, network),
      suspicions: await suspicionsOf(reading, network),
    })),
  );
}

export async function listSuspicions(files: UserFiles, since: number): Promise<Suspicion[]> {
  return readUsers(files, [], async (ledger) => readSuspicions(ledger, since));
}

async function suspicionsOf(ledger: Ledger, network: Prefix): Promise<Suspicion[]> {
  const name = formatPrefix(network);
  return (await readSuspicions(ledger, 0)).filter(({ prefix }) => formatPrefix(prefix) === name);
}

function narrowest<Item extends { prefix: Prefix }>(items: readonly Item[], { words, bits }: Prefix): Item | null {
  const around = items.filter(({ prefix }) => contains(prefix, words, bits));
  return around.reduce<Item | null>((best, item) => (best && best.prefix.bits > item.prefix.bits ? best : item), null);
}

/** Who gives the orders, behind sudo too. */
export function operator(): string {
  const behind = process.env['SUDO_USER'];
  if (behind !== undefined) return behind;
  try {
    return os.userInfo().username;
  } catch {
    // In a container, a process often runs as somebody whom nobody named.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

function refuseWishes(wishes: readonly BanWish[], exempted: readonly Exempt[]): void {
  for (const { prefix } of wishes) refuseExempt(prefix, exempted);
  for (const { reason } of wishes) if (reason !== '') assertReason(reason);
}

function refuseExempt(prefix: Prefix, exempted: readonly Exempt[]): void {
  const hit = hitBy(prefix, exempted);
  if (hit === undefined) return;
  const network = formatPrefix(prefix);
  const who = formatPrefix(hit.prefix);
  throw new MtpError('NEVER_BANNED', `${network} is not banned: ${who === network ? 'it' : who} is ${hit.who}`, {
    exit: EXIT.precondition,
    hint: 'Nothing was changed. Ban smaller networks that leave it out.',
  });
}

function refuseAllowed(prefix: Prefix, allowed: readonly Allowed[]): void {
  const by = allowed.find((one) => contains(one.prefix, prefix.words, prefix.bits));
  if (by === undefined) return;
  const network = formatPrefix(by.prefix);
  throw new MtpError(
    'NEVER_BANNED',
    `${formatPrefix(prefix)} is not banned: ${network} is allowed${by.reason === '' ? '' : ` (${by.reason})`}`,
    {
      exit: EXIT.precondition,
      hint: `Nothing was changed. Take it off the list first: mtp allow del ${network}`,
    },
  );
}

function noBan(prefix: Prefix, bans: readonly Ban[]): MtpError {
  const wider = bans.find((ban) => contains(ban.prefix, prefix.words, prefix.bits));
  const hint =
    wider === undefined
      ? 'See what is banned with: mtp ban list'
      : `${formatPrefix(wider.prefix)} is banned, which it lies in; except it with: mtp allow add ${formatPrefix(prefix)}`;
  return new MtpError('NOT_BANNED', `${formatPrefix(prefix)} is not banned`, {
    exit: EXIT.precondition,
    hint: `Nothing was changed. ${hint}`,
  });
}

function notKept({ ledgerFile }: UserFiles, prefix: Prefix): MtpError {
  return new MtpError(
    'LEDGER_NOT_KEPT',
    `${ledgerFile} does not have the ban of ${formatPrefix(prefix)} that was written`,
  );
}
