import { createSecretKey, type KeyObject } from 'node:crypto';
import { authenticate, type Hello } from '../../lib/protocol/client-hello.ts';
import { openHeader, type OpenedHeader } from '../../lib/protocol/obfuscated2.ts';

/** A user as workers hold it. `slot` stays the same over revisions, so that hints outlive a reload. */
export interface UserEntry {
  slot: number;
  id: string;
  key: Buffer;
  domain: string;
  enabled: boolean;
}

export interface Candidate extends UserEntry {
  /** The key as HMACs take it without being imported each time, which costs four times the HMAC of a hello. */
  hmacKey: KeyObject;
}

const RECENT = 16;
/** Keys tried before other connections get a turn: about a millisecond. */
const SLICE = 256;

export type Search<T> = { found: T; user: Candidate } | { next: number } | null;

/**
 * Whose secret is it? Candidates in the order in which they are likely: last seen from this network, users of the SNI's
 * domain, recently active ones first, then all others (protocol.md §3.1). In the normal case that is one HMAC.
 */
export class UserSet {
  readonly #all: Candidate[];
  readonly #bySlot: Map<number, Candidate>;
  readonly #domains: Map<string, Candidate[]>;
  readonly #recent: Candidate[] = [];

  constructor(users: readonly UserEntry[]) {
    this.#all = users.map((user) => ({ ...user, hmacKey: createSecretKey(user.key) }));
    this.#bySlot = new Map(this.#all.map((user) => [user.slot, user]));
    this.#domains = Map.groupBy(this.#all, (user) => user.domain);
  }

  get size(): number {
    return this.#all.length;
  }

  /** Find who signed a hello, from candidate `from` on; `next` says where to go on in a later turn. */
  findByHello(hello: Hello, hint: number | null, from: number): Search<number> {
    return this.#search(hint, hello.sni, from, (candidate) => authenticate(hello, candidate.hmacKey));
  }

  /** Find whose secret opens a bare obfuscated2 header. */
  findByHeader(header: Buffer, hint: number | null, from: number): Search<OpenedHeader> {
    return this.#search(hint, null, from, (candidate) => openHeader(header, candidate.key));
  }

  #search<T>(hint: number | null, sni: string | null, from: number, test: (user: Candidate) => T | null): Search<T> {
    const hinted = hint === null ? undefined : this.#bySlot.get(hint);
    if (from === 0) {
      const likely = hinted === undefined ? this.#recent : [hinted, ...this.#recent];
      for (const user of likely) {
        const found = test(user);
        if (found !== null) return this.#hit(user, found);
      }
    }
    const first = (sni === null ? undefined : this.#domains.get(sni)) ?? [];
    const total = first.length + (first.length === this.#all.length ? 0 : this.#all.length);
    const end = Math.min(total, from + SLICE);
    for (let at = from; at < end; at++) {
      const user = (at < first.length ? first[at] : this.#all[at - first.length]) as Candidate;
      if (at >= first.length && first.length > 0 && user.domain === sni) continue;
      if (from === 0 && (user === hinted || this.#recent.includes(user))) continue;
      const found = test(user);
      if (found !== null) return this.#hit(user, found);
    }
    return end < total ? { next: end } : null;
  }

  #hit<T>(user: Candidate, found: T): Search<T> {
    if (this.#recent[0] !== user) {
      const at = this.#recent.indexOf(user);
      if (at !== -1) this.#recent.splice(at, 1);
      this.#recent.unshift(user);
      if (this.#recent.length > RECENT) this.#recent.pop();
    }
    return { found, user };
  }
}
