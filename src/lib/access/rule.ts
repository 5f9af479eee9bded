import type { Country } from './country.ts';
import type { Level, Mode } from './level.ts';
import type { Prefix } from './prefix.ts';
import type { Window } from './window.ts';

/** A rule that the operator wrote: what a network is let do, and when. */
export interface AccessRule {
  /** Counts up, and is never used again. */
  id: number;
  prefix: Prefix;
  level: Level;
  mode: Mode;
  /** A line of the operator's; may be empty. */
  reason: string;
  /** Empty for at any time. */
  windows: Window[];
  /** Time zone of the windows, by its name. */
  zone: string;
  /** Unix time in ms. */
  createdAt: number;
  /** Unix time in ms at which it ends; null is never. */
  until: number | null;
}

/** A list of networks that is kept up to date from a file or a web address. */
export interface Feed {
  name: string;
  /** Absolute path, or https URL. */
  source: string;
  level: Level;
  mode: Mode;
  /** How often it is read again, in ms; null for when a command says so. */
  refreshMs: number | null;
  /** SHA-256 that the content has to have, in hex; null for any. */
  pin: string | null;
  /** What is in force, in hex; null before the first that was good. */
  sha256: string | null;
  networks: number;
  /** When what is in force came, and when it was last looked for; Unix ms. */
  fetchedAt: number | null;
  checkedAt: number | null;
  /** Why the last look brought nothing; null where it did. */
  failure: string | null;
  createdAt: number;
}

/** Everything that says which networks may do what, as `loadAccess` reads it. */
export interface Access {
  rules: AccessRule[];
  feeds: { feed: Feed; prefixes: Prefix[] }[];
  /** Null where no country is ruled on. */
  countries: Country | null;
  /** What the operator should know; one sentence each. */
  warnings: string[];
}

/** Bounds, so that what is read and handed on stays small. */
export const MOST_RULES = 10_000;
export const MOST_FEEDS = 100;
/** Of all feeds together. */
export const MOST_NETWORKS = 100_000;
