import type { EngineRevision } from './supervisor/engine.ts';
import type { Wanted } from './wanted.ts';
import { withholdLost } from './withhold.ts';

/** What is served: settings, users, and the revision that they make. */
export class InForce {
  /** The revision that wishes make, as things stand. */
  readonly make: (wanted: Wanted) => EngineRevision;
  #wanted: Wanted;
  #revision: EngineRevision;

  constructor(wanted: Wanted, make: (wanted: Wanted) => EngineRevision) {
    this.make = make;
    this.#wanted = wanted;
    this.#revision = make(wanted);
  }

  get wanted(): Wanted {
    return this.#wanted;
  }

  get revision(): EngineRevision {
    return this.#revision;
  }

  set(wanted: Wanted, revision: EngineRevision): void {
    this.#wanted = wanted;
    this.#revision = revision;
  }

  /** Keep what is served, without access that `later` would have taken away. */
  withhold(later: Wanted): void {
    const wanted = { ...this.#wanted, users: withholdLost(this.#wanted.users, later.users) };
    this.set(wanted, this.make(wanted));
  }
}
