import { authenticate, type Hello } from '../../lib/protocol/client-hello.ts';
import { openHeader, type OpenedHeader } from '../../lib/protocol/obfuscated2.ts';
import type { PackedUsers } from './packed-users.ts';

/** A secret that was found, and whose it is. Rows stay the same over revisions, so that hints outlive a reload. */
export interface FoundUser {
  /** Row of the user. */
  row: number;
  /** Row of the secret. */
  secretRow: number;
  /** 16 bytes. */
  key: Buffer;
  domain: string;
  /** It lets nobody in any more. */
  stale: boolean;
}

const KEY_BYTES = 16;
const RECENT = 16;
/** Keys tried in one go: a small part of a millisecond. */
const SLICE = 64;

export interface Hit<T> {
  found: T;
  user: FoundUser;
}
/** `next` is where to go on; null when all have been tried. */
export type Search<T> = Hit<T> | { next: number } | null;

/**
 * Whose secret is it? Secrets in the order in which they are likely: last seen from this network, recently active ones, those
 * of the SNI's domain, then all others (protocol.md §3.1). In the normal case that is one HMAC. A secret is a number here: its
 * place in the packed table, which the workers share.
 */
export class UserSet {
  readonly size: number;
  readonly #keys: Buffer;
  readonly #rows: Uint32Array;
  readonly #places: Uint32Array;
  readonly #owners: Uint32Array;
  readonly #stale: Uint8Array;
  readonly #domains: readonly string[];
  readonly #starts: readonly number[];
  /** Most recent first. */
  readonly #recent: number[] = [];

  constructor({ keys, rows, places, owners, stale, domains, starts }: PackedUsers) {
    this.#keys = Buffer.from(keys);
    this.#rows = new Uint32Array(rows);
    this.#places = new Uint32Array(places);
    this.#owners = new Uint32Array(owners);
    this.#stale = new Uint8Array(stale);
    this.#domains = domains;
    this.#starts = starts;
    this.size = this.#rows.length;
  }

  /** Whether one of the likely ones signed a hello; `hint` is the row of a secret. */
  guessByHello(hello: Hello, hint: number | null): Hit<number> | null {
    return this.#guess(hint, (key) => authenticate(hello, key));
  }

  /** Find among all who signed a hello, a slice from place `from` on. */
  findByHello(hello: Hello, from: number): Search<number> {
    return this.#find(hello.sni, from, (key) => authenticate(hello, key));
  }

  /** Whether the secret of one of the likely ones opens a bare obfuscated2 header. */
  guessByHeader(header: Buffer, hint: number | null): Hit<OpenedHeader> | null {
    return this.#guess(hint, (key) => openHeader(header, key));
  }

  /** Find among all whose secret opens a bare obfuscated2 header, a slice from place `from` on. */
  findByHeader(header: Buffer, from: number): Search<OpenedHeader> {
    return this.#find(null, from, (key) => openHeader(header, key));
  }

  #guess<T>(hint: number | null, test: (key: Buffer) => T | null): Hit<T> | null {
    for (const user of this.#likely(hint)) {
      const found = test(this.#key(user));
      if (found !== null) return this.#hit(user, found);
    }
    return null;
  }

  #find<T>(sni: string | null, from: number, test: (key: Buffer) => T | null): Search<T> {
    const domain = sni === null ? -1 : this.#domains.indexOf(sni);
    const [first, last] = domain === -1 ? [0, 0] : [this.#starts[domain] as number, this.#starts[domain + 1] as number];
    const end = Math.min(this.size, from + SLICE);
    for (let at = from; at < end; at++) {
      const user = inTurn(at, first, last);
      const found = test(this.#key(user));
      if (found !== null) return this.#hit(user, found);
    }
    return end < this.size ? { next: end } : null;
  }

  #likely(hint: number | null): readonly number[] {
    // One more than the place, and nothing for a row that is no secret's any more.
    const hinted = hint === null ? -1 : (this.#places[hint] ?? 0) - 1;
    return hinted === -1 || hinted === this.#recent[0] ? this.#recent : [hinted, ...this.#recent];
  }

  #key(user: number): Buffer {
    return this.#keys.subarray(user * KEY_BYTES, (user + 1) * KEY_BYTES);
  }

  #hit<T>(user: number, found: T): Hit<T> {
    if (this.#recent[0] !== user) {
      const at = this.#recent.indexOf(user);
      if (at !== -1) this.#recent.splice(at, 1);
      this.#recent.unshift(user);
      if (this.#recent.length > RECENT) this.#recent.pop();
    }
    return { found, user: this.#describe(user) };
  }

  #describe(user: number): FoundUser {
    return {
      row: this.#owners[user] as number,
      secretRow: this.#rows[user] as number,
      key: this.#key(user),
      domain: this.#domains[this.#starts.findLastIndex((start) => start <= user)] as string,
      stale: this.#stale[user] === 1,
    };
  }
}

/** The user at place `at` of an order in which those of `[first, last)` come before all others. */
function inTurn(at: number, first: number, last: number): number {
  const count = last - first;
  if (at < count) return first + at;
  return at < last ? at - count : at;
}
