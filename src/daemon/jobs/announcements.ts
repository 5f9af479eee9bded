import { MtpError } from '../../lib/errors.ts';
import type { StatusReply } from '../../lib/control/schema.ts';
import type { Access } from '../../lib/link/access.ts';
import { announceDue, listDue, ROTATE_HOOK, type Told, whileAnnouncing } from '../../lib/rotation/announce.ts';
import type { Paths } from '../../lib/system/paths.ts';
import { generationOf } from '../../lib/users/load.ts';
import type { Log } from '../telemetry/log.ts';

export interface AnnouncerParts {
  paths: Paths;
  /** Of the ledger, as it is served. */
  served: () => string | null;
  access: () => Access;
  log: Log;
  now: () => number;
}

type Announcements = StatusReply['announcements'];

/** Tells the hook of rotations that it was not told of: our own, and those of commands that were killed or found it failing. */
export class Announcer {
  readonly #parts: AnnouncerParts;
  #state: Announcements = { due: 0, givenUp: 0, failure: null, nextAt: null };

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
  }

  /** How it stood at the end of the newest round. */
  get state(): Announcements {
    return this.#state;
  }

  async run(): Promise<void> {
    const { paths, served, access, now } = this.#parts;
    // Nobody hears of a link that does not work yet.
    if ((await generationOf(paths)) === served()) {
      const tell = async (): Promise<Told[]> => announceDue(paths, access(), { now });
      for (const told of await whileAnnouncing(paths, tell, 0).catch(unlessHeld)) this.#report(told);
    }
    const left = await listDue(paths);
    const due = left.filter(({ nextAt }) => nextAt !== null);
    this.#state = {
      due: due.reduce((sum, { secrets }) => sum + secrets.length, 0),
      givenUp: left.reduce((sum, { nextAt, secrets }) => sum + (nextAt === null ? secrets.length : 0), 0),
      failure: left.findLast(({ failure }) => failure !== null)?.failure ?? null,
      nextAt: due.length === 0 ? null : Math.min(...due.map(({ nextAt }) => nextAt ?? Number.MAX_SAFE_INTEGER)),
    };
  }

  #report({ due, outcome }: Told): void {
    const { log, now } = this.#parts;
    const { rotatedAt, reason, secrets, tries, nextAt } = due;
    const about = { hook: ROTATE_HOOK, rotation: reason, secrets: secrets.length };
    if (outcome.state !== 'failed') {
      const lateMs = now() - rotatedAt;
      log('info', 'rotation_announced', { ...about, outcome: outcome.state, lateMs });
      return;
    }
    log('error', 'hook_failed', { ...about, reason: outcome.reason, tries, nextInMs: nextAt && nextAt - now() });
    if (nextAt === null) log('error', 'hook_given_up', { ...about, tries });
  }
}

/** Who holds the lock is telling the hook at this moment. */
function unlessHeld(error: unknown): Told[] {
  if (error instanceof MtpError && error.code === 'TEMPORARY') return [];
  throw error;
}
