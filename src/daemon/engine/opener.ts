import { collectHello, type Hello, readHello } from '../../lib/protocol/client-hello.ts';
import { HEADER_BYTES, looksReserved, type OpenedHeader } from '../../lib/protocol/obfuscated2.ts';
import type { HandshakeResult } from '../supervisor/engine.ts';
import { OPENING_BYTES } from './conn.ts';
import type { Plane } from './plane.ts';
import type { Step } from './searches.ts';
import type { FoundUser, Hit, Search, UserSet } from './user-set.ts';

export type Opened =
  | { kind: 'hello'; hello: Hello; user: FoundUser; signedAt: number; consumed: number }
  | { kind: 'header'; header: OpenedHeader; user: FoundUser; digest: Buffer; consumed: number }
  | { kind: 'refused'; reason: HandshakeResult };

/** How to find whose bytes these are, and what that makes of them. */
interface Way<T> {
  guess: (users: UserSet) => Hit<T> | null;
  find: (users: UserSet, from: number) => Search<T>;
  opened: (found: T, user: FoundUser) => Opened;
  reason: HandshakeResult;
}

/** Users whose secret is tried on bytes that no enabled mode can use, only to tell the operator what they were. */
const CURIOSITY = 64;

/**
 * The first bytes of a connection, kept until it is clear whose they are. Nothing is answered and nothing is lost: whoever is
 * refused can still be handed to the cover with every byte.
 */
export class Opener {
  readonly #plane: Plane;
  readonly #hint: () => number | null;
  readonly #done: (opened: Opened) => void;
  held: Buffer = Buffer.alloc(0);
  /** Nothing is decided any more. */
  closed = false;
  #search: Step | null = null;

  /** `hint` is the row of the secret last used from this network. `done` is called once, now or in a later turn. */
  constructor(plane: Plane, hint: () => number | null, done: (opened: Opened) => void) {
    this.#plane = plane;
    this.#hint = hint;
    this.#done = done;
  }

  /** Keep bytes without looking at them; they are copied. */
  hold(data: Buffer): void {
    this.held = this.held.length === 0 ? Buffer.from(data) : Buffer.concat([this.held, data]);
  }

  /** Keep bytes and see whether they settle the matter. */
  push(data: Buffer): void {
    this.hold(data);
    if (!this.searching) this.#look();
  }

  /** All is said, and it is still open whose it is. */
  get searching(): boolean {
    return this.#search !== null;
  }

  /** Decide nothing any more. */
  close(): void {
    this.closed = true;
    if (this.#search !== null) this.#plane.searches.drop(this.#search);
    this.#search = null;
  }

  #look(): void {
    const { modes } = this.#plane.settings;
    const bare = modes.includes('dd') || modes.includes('plain');
    if (modes.includes('ee')) {
      const collected = collectHello(this.held);
      if (collected.state === 'complete') {
        const hello = readHello(collected.record);
        if (hello === null) this.#refuse('garbage');
        else this.#searchHello(hello, collected.consumed);
        return;
      }
      if (collected.state === 'incomplete') {
        if (this.held.length >= OPENING_BYTES) this.#refuse('garbage');
        return;
      }
    }
    if (!bare || this.#isKnownForeign()) this.#refuse(this.#classify());
    else if (this.held.length >= HEADER_BYTES) this.#searchHeader();
  }

  #isKnownForeign(): boolean {
    return this.held.length >= 8 && looksReserved(this.held);
  }

  #searchHello(hello: Hello, consumed: number): void {
    this.#begin({
      guess: (users) => users.guessByHello(hello, this.#hint()),
      find: (users, from) => users.findByHello(hello, from),
      opened: (signedAt, user) => ({ kind: 'hello', hello, user, signedAt, consumed }),
      reason: 'bad_hmac',
    });
  }

  #searchHeader(): void {
    const header = this.held.subarray(0, HEADER_BYTES);
    this.#begin({
      guess: (users) => users.guessByHeader(header, this.#hint()),
      find: (users, from) => users.findByHeader(header, from),
      // Key material of the header: random, and only a holder of the secret can make one that opens.
      opened: (opened, user) => ({
        kind: 'header',
        header: opened,
        user,
        digest: Buffer.from(header.subarray(8, 24)),
        consumed: HEADER_BYTES,
      }),
      reason: 'bad_tag',
    });
  }

  /** The likely ones at once; all others when it is our turn, and the likely ones of that time before them. */
  #begin<T>(way: Way<T>): void {
    const plane = this.#plane;
    const guess = plane.searches.busy ? way.guess(plane.users) : null;
    if (guess !== null) {
      this.#finish(way.opened(guess.found, guess.user));
      return;
    }
    let users: UserSet | null = null;
    let from = 0;
    this.#search = () => {
      // Other users since the last step have other places.
      if (users !== plane.users) from = 0;
      users = plane.users;
      const search = (from === 0 ? way.guess(users) : null) ?? way.find(users, from);
      if (search !== null && 'next' in search) {
        from = search.next;
        return false;
      }
      if (search === null) this.#refuse(way.reason);
      else this.#finish(way.opened(search.found, search.user));
      return true;
    };
    plane.searches.begin(this.#search);
  }

  #refuse(reason: HandshakeResult): void {
    this.#finish({ kind: 'refused', reason });
  }

  #finish(opened: Opened): void {
    if (this.closed) return;
    this.close();
    this.#done(opened);
  }

  /** What foreign bytes are, for the operator. A bare client on a port that is fake-TLS only holds an old kind of link. */
  #classify(): HandshakeResult {
    if (/^(?:GET|HEAD|POST|PUT|OPTIONS|DELETE|CONNECT|PATCH|TRACE|PRI) /.test(this.held.toString('latin1', 0, 8))) {
      return 'http';
    }
    if (this.held.length >= HEADER_BYTES && this.#plane.users.size <= CURIOSITY) {
      const search = this.#plane.users.findByHeader(this.held.subarray(0, HEADER_BYTES), 0);
      if (search !== null && 'found' in search) return 'mode_off';
    }
    return 'garbage';
  }
}
