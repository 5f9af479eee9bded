import type { Engine, Holdings } from './engine.ts';

export interface SharedLimitsParts {
  /** The engine that lets people in; undefined where there is none at the moment. */
  serving: () => Engine | undefined;
  /** Engines that serve their connections to the end. */
  draining: () => readonly Engine[];
  sleep: (ms: number) => Promise<void>;
}

/** How old what an engine knows of the others may be. */
const EVERY_MS = 250;

/**
 * Has limits of users and networks hold over all engines together (docs/decisions/031): the one that lets people in is told of the
 * connections that the others still have, and each of what the others moved of a limited speed.
 */
export class SharedLimits {
  readonly #parts: SharedLimitsParts;
  /** What an engine answered last. */
  readonly #known = new WeakMap<Engine, Holdings>();
  #running = false;
  #closed = false;

  constructor(parts: SharedLimitsParts) {
    this.#parts = parts;
  }

  /** Tell an engine that opens next of the connections of these, which accept no more. */
  async prepare(next: Engine, before: readonly Engine[]): Promise<void> {
    await tell(next, await this.#ask(before));
  }

  /** Keep the engines informed until the one that serves is alone, and knows it. */
  keep(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  close(): void {
    this.#closed = true;
  }

  async #run(): Promise<void> {
    const { draining, sleep } = this.#parts;
    do {
      await sleep(EVERY_MS);
      if (this.#closed) return;
      // One may have begun to drain while the others were asked.
    } while ((await this.#round()) > 0 || draining().length > 0);
    this.#running = false;
  }

  /** Returns how many others the engine that serves was told of. */
  async #round(): Promise<number> {
    const { draining, serving } = this.#parts;
    const [old, current] = [draining(), serving()];
    const held = await this.#ask(old);
    if (current === undefined) return old.length;
    const [own] = held.some(({ moved }) => moved.length > 0) ? await this.#ask([current]) : [];
    await tell(current, held);
    if (own === undefined) return old.length;
    await Promise.all(
      old.map(async (engine) => {
        const others = [own, ...held.filter((each) => each !== this.#known.get(engine))];
        // Nobody new comes in there; what counts is the speed of those who are.
        await tell(engine, others.map(onlyMoved));
      }),
    );
    return old.length;
  }

  /** What engines have; of one that does not answer, what it had. */
  async #ask(engines: readonly Engine[]): Promise<Holdings[]> {
    const asked = engines.map(async (engine) => {
      const answer = await engine.holdings().catch(() => this.#known.get(engine));
      if (answer !== undefined) this.#known.set(engine, answer);
      return answer;
    });
    return (await Promise.all(asked)).filter((answer) => answer !== undefined);
  }
}

/** One that cannot be told has ended, or is told at the next turn. */
async function tell(engine: Engine, elsewhere: readonly Holdings[]): Promise<void> {
  await engine.share(elsewhere).catch(() => undefined);
}

function onlyMoved({ epoch, moved }: Holdings): Holdings {
  return { epoch, networks: new Int32Array(), ids: [], users: new Int32Array(), moved };
}
