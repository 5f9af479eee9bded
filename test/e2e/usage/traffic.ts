import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectEe, type Session, type Target } from '../../support/raw-client.ts';

/** A client who sends and gets everything back, for ever, over one connection after another. */
export class Traffic {
  /** Bytes that were sent; some of them may not have arrived. */
  sent = 0;
  /** What has come back, and when, Unix ms: so much was moved in each direction by then. */
  readonly returned: { at: number; bytes: number }[] = [];
  readonly #target: Target;
  readonly #key: Buffer;
  readonly #random: () => number;
  #session: Session | null = null;
  #stopping = false;
  #done: Promise<void> = Promise.resolve();

  constructor(target: Target, key: Buffer, random: () => number) {
    this.#target = target;
    this.#key = key;
    this.#random = random;
  }

  start(): void {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#session?.peer.close();
    await this.#done;
  }

  /** Bytes that came back by a time, or ever. */
  returnedBy(time = Number.POSITIVE_INFINITY): number {
    return this.returned.reduce((sum, { at, bytes }) => (at <= time ? sum + bytes : sum), 0);
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#session = await connectEe(this.#target, { key: this.#key }).catch(() => null);
      if (this.#session === null) await sleep(50);
      else await this.#talk(this.#session);
    }
  }

  async #talk(session: Session): Promise<void> {
    while (!this.#stopping) {
      const bytes = 1 + Math.floor(this.#random() ** 2 * 50_000);
      this.sent += bytes;
      session.send(randomBytes(bytes));
      if ((await session.read(bytes, 5000)) === null) break;
      this.returned.push({ at: Date.now(), bytes });
      await sleep(20);
    }
    session.peer.close();
  }
}
