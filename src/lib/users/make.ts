import { randomBytes } from 'node:crypto';
import { KEY_BYTES } from '../secret/secret.ts';
import { assertNote, assertTags, assertUserName, type Limits, NO_LIMITS, type User, type UserSecret } from './user.ts';

/** What a new user is made of. */
export interface UserSources {
  /** That many bytes from a cryptographic source. */
  random: (bytes: number) => Buffer;
  now: () => Date;
}

export const SYSTEM: UserSources = { random: randomBytes, now: () => new Date() };

/** What an operator decides about a user. */
export interface Profile {
  limits: Limits;
  expiresAt: number | null;
  /** Age in ms at which a secret is replaced; null is as the settings say. */
  rotateAfter: number | null;
  tags: string[];
  notes: string;
  enabled: boolean;
}

export interface NewUser extends Partial<Profile> {
  name: string;
  /** 16 bytes; a fresh one if none is given. */
  key?: Buffer | undefined;
}

/** A user as wished, not yet kept. Words that cannot be a name, a tag or a note are errors. */
export function makeUser(wish: NewUser, sources: UserSources): User {
  const {
    name,
    key,
    limits = NO_LIMITS,
    expiresAt = null,
    rotateAfter = null,
    tags = [],
    notes = '',
    enabled = true,
  } = wish;
  assertUserName(name);
  assertNote(notes);
  const createdAt = sources.now().getTime();
  return {
    id: sources.random(8).toString('hex'),
    name,
    enabled,
    createdAt,
    lastSeenAt: null,
    expiresAt,
    notes,
    tags: assertTags(tags),
    limits: { ...limits },
    rotateAfter,
    secrets: [makeUserSecret(key, sources)],
  };
}

/** An active secret with this key, or a fresh one. */
export function makeUserSecret(key: Buffer | undefined, { random, now }: UserSources): UserSecret {
  return {
    id: random(8).toString('hex'),
    state: 'active',
    createdAt: now().getTime(),
    retiringUntil: null,
    retireLimitNetworks: null,
    revokedAt: null,
    tombstoneUntil: null,
    closeReason: null,
    lastSeenAt: null,
    key: (key ?? random(KEY_BYTES)).toString('hex'),
  };
}
