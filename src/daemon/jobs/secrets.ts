import type { Settings } from '../../lib/config/schema.ts';
import type { UsageReply } from '../../lib/control/schema.ts';
import { isDue, rotateSecrets } from '../../lib/rotation/rotate.ts';
import { sweepSecrets } from '../../lib/rotation/sweep.ts';
import type { Paths } from '../../lib/system/paths.ts';
import { generationOf } from '../../lib/users/load.ts';
import { MOST_ACCEPTED } from '../../lib/users/room.ts';
import { isAccepted, type User } from '../../lib/users/user.ts';
import type { Log } from '../telemetry/log.ts';

export interface SecretKeeperParts {
  paths: Paths;
  /** What is in force. */
  inForce: () => { settings: Settings; users: User[]; generation: string | null };
  reload: () => Promise<unknown>;
  /** How often anybody came with a secret that was closed, since the start of the engine. */
  stale: () => Promise<number>;
  usage: () => Promise<UsageReply>;
  log: Log;
  now: () => number;
}

/** A reload that failed is tried again after this time: a secret that was closed must not stay open for a fault that is over. */
const RETRY_MS = 60_000;

/**
 * Secrets as time passes: those whose grace or memory is over, those that are old enough to be replaced by themselves, and
 * changes by a command that was killed before it could tell us.
 */
export class SecretKeeper {
  readonly #parts: SecretKeeperParts;
  /** The newest generation of the ledger that a reload was tried with, and when, Unix ms. */
  #tried: { generation: string | null; at: number } = { generation: null, at: 0 };

  /** The newest generation that was found to be another than the one in force. */
  #seen: string | null = null;

  /** How often somebody had come with each closed secret when we looked last. */
  #late = new Map<string, number>();
  #allLate = 0;
  /** Users who have as many secrets as there may be, and so get no new one. */
  #full = new Set<string>();

  constructor(parts: SecretKeeperParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { paths, inForce, now, log } = this.#parts;
    const swept = await sweepSecrets(paths, inForce().settings.rotation.drain, now());
    if (swept > 0) log('info', 'secrets_aged', { secrets: swept });
    // What is replaced is chosen from the users in force: one removed meanwhile must not be among them.
    if (await this.#takeOver({ ours: swept > 0 })) await this.#replaceOld();
    await this.#reportStale();
  }

  async #replaceOld(): Promise<void> {
    const { paths, inForce, now, log } = this.#parts;
    const { settings, users } = inForce();
    const { max_age: maxAge, grace, limit_networks: limitNetworks } = settings.rotation;
    const olderThanMs = ({ rotateAfter }: { rotateAfter: number | null }): number | null => rotateAfter ?? maxAge;
    const due = users.filter((user) => isDue(user, olderThanMs(user), now()));
    // One of them must not keep the others from theirs.
    const full = due.filter(({ secrets }) => secrets.filter(isAccepted).length >= MOST_ACCEPTED);
    for (const { id, name } of full) if (!this.#full.has(id)) log('warn', 'rotation_full', { user: name });
    this.#full = new Set(full.map(({ id }) => id));
    const names = due.filter(({ id }) => !this.#full.has(id)).map(({ name }) => name);
    if (names.length === 0) return;
    const how = { graceMs: grace, limitNetworks };
    const { rotated } = await rotateSecrets(paths, { names, olderThanMs }, how, 'policy');
    log('info', 'secrets_rotated', { users: rotated.length });
    // The hook is told by the announcer, once this holds: nobody hears of a link that does not work.
    await this.#takeOver({ ours: true });
  }

  /**
   * Serve what the ledger says, if that is something else than what is served; returns whether it is the same by now. A change
   * that is not ours is left alone for a round: a command that lives has it taken over itself, and wants to see the proofs.
   */
  async #takeOver({ ours }: { ours: boolean }): Promise<boolean> {
    const { paths, inForce, reload, log, now } = this.#parts;
    const generation = await generationOf(paths);
    if (generation === inForce().generation) return true;
    const isNew = generation !== this.#seen;
    this.#seen = generation;
    if (isNew && !ours) return false;
    const tried = this.#tried;
    if (generation === tried.generation && now() - tried.at < RETRY_MS) return false;
    this.#tried = { generation, at: now() };
    log('info', 'ledger_changed', { generation });
    await reload();
    return true;
  }

  /** Name the users whose old links are still tried: they are no attack, and have to be told. */
  async #reportStale(): Promise<void> {
    const { stale, usage, inForce, log } = this.#parts;
    const all = await stale();
    if (all === this.#allLate) return;
    this.#allLate = all;
    const { rows } = await usage();
    const late = new Map(rows.filter((row) => row.stale > 0).map((row) => [row.id, row.stale]));
    for (const { name, secrets } of inForce().users) {
      for (const { id } of secrets) {
        const more = (late.get(id) ?? 0) - (this.#late.get(id) ?? 0);
        if (more > 0) log('info', 'stale_link', { user: name, secret: id, times: more });
      }
    }
    this.#late = late;
  }
}
