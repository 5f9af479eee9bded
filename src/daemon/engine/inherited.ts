import type { SocketMessage, SocketWant } from '../supervisor/ipc.ts';
import { ListenError } from './listen-error.ts';

/** What we use of a socket that arrived from the daemon. */
interface Lent {
  readonly fd: number;
  close(): void;
}

interface Waiting {
  lent: Lent[];
  resolve: (lent: Lent[]) => void;
  reject: (error: Error) => void;
}

/** A daemon that does not answer by now is as good as gone. */
const ANSWER_MS = 5_000;

/**
 * The listening sockets that the daemon lends to this process. A descriptor goes to the worker that listens on it, which
 * closes it; the handle under it here is not used again.
 */
export class Inherited {
  readonly #ask: (want: SocketWant) => boolean;
  readonly #waiting = new Map<number, Waiting>();
  #wants = 0;
  #held: Lent[] = [];

  /** `ask` returns false where there is nobody to ask. */
  constructor(ask: (want: SocketWant) => boolean) {
    this.#ask = ask;
  }

  /** Descriptors for a worker; null where the daemon is gone, so that the worker has to bind by itself. */
  async of(worker: number, workers: number): Promise<number[] | null> {
    if (this.#held.length > 0)
      return this.#held.filter((_lent, index) => index % workers === worker).map(({ fd }) => fd);
    return (await this.#fetch(worker, workers))?.map(({ fd }) => fd) ?? null;
  }

  /** Keep all sockets open without listening, for a start again that needs no daemon. */
  async hold(): Promise<void> {
    this.release();
    this.#held = (await this.#fetch(0, 1)) ?? [];
  }

  /** Close what was held; nobody is to listen on it from here. */
  release(): void {
    for (const lent of this.#held.splice(0)) lent.close();
  }

  /** The held sockets belong to workers now. */
  handedOut(): void {
    this.#held = [];
  }

  get holds(): boolean {
    return this.#held.length > 0;
  }

  receive(message: SocketMessage, lent: Lent | undefined): void {
    const waiting = this.#waiting.get(message.want);
    if (message.type === 'socket') {
      if (waiting === undefined) lent?.close();
      else if (lent !== undefined) waiting.lent.push(lent);
      return;
    }
    this.#waiting.delete(message.want);
    if (message.type === 'sockets') waiting?.resolve(waiting.lent);
    else waiting?.reject(new ListenError(message.code, message.message));
  }

  async #fetch(worker: number, workers: number): Promise<Lent[] | null> {
    const want = ++this.#wants;
    const answer = new Promise<Lent[]>((resolve, reject) => this.#waiting.set(want, { lent: [], resolve, reject }));
    if (!this.#ask({ type: 'want', want, worker, workers })) {
      this.#waiting.delete(want);
      return null;
    }
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), ANSWER_MS);
    });
    try {
      return await Promise.race([answer, silence]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(want);
    }
  }
}
