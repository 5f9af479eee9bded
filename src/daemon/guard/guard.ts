import { NO_ACCESS } from '../../lib/access/load.ts';
import { packRulings } from '../../lib/access/packed-rulings.ts';
import { contains, cut, formatPrefix, type Prefix } from '../../lib/access/prefix.ts';
import type { Access } from '../../lib/access/rule.ts';
import type { Ruling } from '../../lib/access/ruling.ts';
import { rulingsAt } from '../../lib/access/rulings.ts';
import type { GuardReply } from '../../lib/control/schema.ts';
import type { Allowed, Ban, Suspicion } from '../../lib/guard/ban.ts';
import { type BanPolicy, decideBan, isCovered, PROMOTION_MS, promote } from '../../lib/guard/decide.ts';
import { type Exempt, hitBy, networkOf } from '../../lib/guard/exempt.ts';
import {
  changeGuard,
  forgetGuard,
  insertBan,
  putSuspicion,
  readAllowed,
  readBans,
  readBansSince,
  readGuardGeneration,
  readHistory,
} from '../../lib/guard/store.ts';
import { countInLedger, type Ledger } from '../../lib/ledger/open.ts';
import type { UserFiles } from '../../lib/users/files.ts';
import { withUsers } from '../../lib/users/with-users.ts';
import type { GuardRules, Offence } from '../supervisor/engine.ts';
import type { Log } from '../telemetry/log.ts';

export interface GuardParts {
  files: UserFiles;
  /** What the operator says about networks; what is the same as in `known` need not be read again. */
  access: (known: Access) => Promise<Access>;
  /** Have the engines go by these rules. */
  push: (rules: GuardRules) => Promise<void>;
  policy: () => BanPolicy;
  /** Who is never banned. */
  exempt: () => Promise<Exempt[]>;
  log: Log;
  /** Unix ms. */
  now: () => number;
  /** A number in [0, 1). */
  random: () => number;
}

/** Offences are looked at together, so that a flood of them costs few transactions. */
const GATHER_MS = 200;
/** Networks that are waiting to be looked at; what comes beyond comes again. */
const WAITING_MOST = 10_000;
/** Bans by itself in a minute: whoever can forge addresses must not fill the table. */
const BANS_A_MINUTE = 120;
const MINUTE_MS = 60_000;
const TIDY_MS = 3_600_000;
/** The longest that a timer waits. */
const LONGEST_MS = 3_600_000;

/** Decides about networks by what the engines report, keeps it in the ledger, and has the engines go by it. */
export class Guard {
  readonly #parts: GuardParts;
  readonly #waiting = new Map<string, Suspicion>();
  #gathering: NodeJS.Timeout | undefined;
  #expiring: NodeJS.Timeout | undefined;
  /** Turns come one after another. */
  #turn: Promise<unknown> = Promise.resolve();
  #generation: string | null = null;
  #bans: Ban[] = [];
  #allowed: Allowed[] = [];
  #access: Access = NO_ACCESS;
  /** What it comes to now, and Unix ms at which that is something else. */
  #ruled: { packed: GuardRules['access']; nextChange: number | null } = { packed: null, nextChange: null };
  /** What was read is not yet what the engine goes by. */
  #stale = false;
  #made: number[] = [];
  #heldBackAt = 0;
  #tidiedAt = 0;
  #closed = false;

  constructor(parts: GuardParts) {
    this.#parts = parts;
  }

  /** Take over what the ledger says, and resolve when the engine goes by it. */
  async load(): Promise<GuardReply> {
    return this.#inTurn(async () => {
      this.#stale = true;
      await withUsers(this.#parts.files, async (ledger) => this.#read(ledger));
      await this.#rule();
      await this.#push();
      return { bans: this.#bans.length, allowed: this.#allowed.length };
    });
  }

  /** Take over what a command changed that could not tell us, or what failed before, and forget what is old. */
  async watch(): Promise<void> {
    const now = this.#parts.now();
    const generation = await withUsers(this.#parts.files, async (ledger) => {
      if (now - this.#tidiedAt > TIDY_MS) {
        this.#tidiedAt = now;
        await forgetGuard(ledger, now);
      }
      return readGuardGeneration(ledger);
    });
    if (this.#stale || generation !== this.#generation) await this.load();
  }

  /** A network behaves badly. */
  offend({ host, at, score, counts, good }: Offence): void {
    const prefix = networkOf(host);
    if (prefix === null || this.#closed || this.#waiting.size >= WAITING_MOST) return;
    const name = formatPrefix(prefix);
    // Two engines may know the same network.
    const worst = Math.max(score, this.#waiting.get(name)?.score ?? 0);
    this.#waiting.set(name, { prefix, at: at * 1000, score: worst, counts, good });
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#inTurn(async () => this.#judge()).catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        this.#parts.log('error', 'guard_failed', { message });
      });
    }, GATHER_MS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#gathering);
    clearTimeout(this.#expiring);
    await this.#turn;
  }

  async #judge(): Promise<void> {
    const { files, exempt, log } = this.#parts;
    const suspicions = [...this.#waiting.values()];
    this.#waiting.clear();
    const exempted = await exempt();
    const others = suspicions.filter(({ prefix }) => hitBy(prefix, exempted) === undefined);
    const made: Ban[] = [];
    const changed = await withUsers(files, async (ledger) => {
      await countInLedger(ledger, async (change) => {
        for (const suspicion of others) await putSuspicion(change, suspicion);
      });
      if (!others.some(({ score }) => score >= this.#parts.policy().threshold)) return false;
      this.#stale = true;
      const before = this.#generation;
      const byOthers = await changeGuard(ledger, async (change) => {
        await this.#read(change);
        for (const suspicion of others) made.push(...(await this.#ban(change, suspicion, exempted)));
        // As it was before this change of our own.
        return this.#generation !== before;
      });
      await this.#read(ledger);
      return byOthers;
    });
    if (!this.#stale) return;
    // A command may have changed access rules as well, and not told us yet.
    if (changed) await this.#rule();
    await this.#push();
    for (const { prefix, verdict, rule, from, until } of made) {
      const seconds = until === null ? null : Math.round((until - from) / 1000);
      log('warn', 'network_banned', { network: truncated(prefix), verdict, rule, seconds });
    }
  }

  /** Ban a network and those that it makes suspect, unless it is banned or allowed. */
  async #ban(change: Ledger, suspicion: Suspicion, exempted: readonly Exempt[]): Promise<Ban[]> {
    const { policy, now, random, log } = this.#parts;
    const { prefix } = suspicion;
    if (isCovered(prefix, this.#bans) || this.#isAllowed(prefix)) return [];
    const ban = decideBan(suspicion, await readHistory(change, prefix), policy(), random());
    if (ban === null) return [];
    this.#made = this.#made.filter((at) => now() - at < MINUTE_MS);
    if (this.#made.length >= BANS_A_MINUTE) {
      if (now() - this.#heldBackAt >= MINUTE_MS) {
        this.#heldBackAt = now();
        log('error', 'bans_held_back', { aMinute: BANS_A_MINUTE });
      }
      return [];
    }
    const recent = prefix.family === 4 ? [] : await readBansSince(change, now() - PROMOTION_MS);
    const wider = promote(ban, [...recent, ban]).filter(
      (each) =>
        hitBy(each.prefix, exempted) === undefined && !this.#allowed.some((one) => inside(one.prefix, each.prefix)),
    );
    for (const each of [ban, ...wider]) {
      await insertBan(change, each);
      this.#bans.push(each);
      this.#made.push(now());
    }
    return [ban, ...wider];
  }

  #isAllowed(prefix: Prefix): boolean {
    return this.#allowed.some((one) => inside(prefix, one.prefix));
  }

  async #read(ledger: Ledger): Promise<void> {
    const now = this.#parts.now();
    this.#generation = await readGuardGeneration(ledger);
    this.#bans = await readBans(ledger, now);
    this.#allowed = await readAllowed(ledger, now);
  }

  /** Read what the operator says about networks, and what it comes to at this time. */
  async #rule(): Promise<void> {
    const { access, log, now } = this.#parts;
    this.#access = await access(this.#access);
    for (const warning of this.#access.warnings) log('warn', 'access_incomplete', {}, warning);
    const { rulings, nextChange } = rulingsAt(this.#access, now());
    this.#ruled = { packed: packed(rulings), nextChange };
  }

  /** Have the engines go by what was read, and come back when the first part of it is over. */
  async #push(): Promise<void> {
    const bans = this.#bans.map(({ prefix, verdict, until }): Ruling => ({ prefix, verdict, until: seconds(until) }));
    const allowed = this.#allowed.map(({ prefix, until }): Ruling => ({
      prefix,
      verdict: null,
      until: seconds(until),
    }));
    await this.#parts.push({ bans: packed(bans), allowed: packed(allowed), access: this.#ruled.packed });
    this.#stale = false;
    const turns = [...this.#bans, ...this.#allowed].map(({ until }) => until);
    const ends = [...turns, this.#ruled.nextChange].filter((at) => at !== null);
    clearTimeout(this.#expiring);
    if (ends.length === 0 || this.#closed) return;
    const ms = Math.min(LONGEST_MS, Math.max(0, Math.min(...ends) - this.#parts.now()) + 1);
    this.#expiring = setTimeout(() => {
      this.load().catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        this.#parts.log('error', 'guard_failed', { message });
      });
    }, ms);
    this.#expiring.unref();
  }

  async #inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function packed(rulings: Ruling[]): GuardRules['bans'] {
  return rulings.length === 0 ? null : packRulings(rulings);
}

function inside(inner: Prefix, outer: Prefix): boolean {
  return contains(outer, inner.words, inner.bits);
}

/** Unix seconds, not before it is over. */
function seconds(ms: number | null): number | null {
  return ms === null ? null : Math.ceil(ms / 1000);
}

/** As much of a network as a log may have. */
function truncated(prefix: Prefix): string {
  const most = prefix.family === 4 ? 24 : 48;
  return formatPrefix(prefix.bits <= most ? prefix : cut(prefix.words, most));
}
