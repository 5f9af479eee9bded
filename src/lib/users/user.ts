import { z } from '../system/zod.ts';
import { EXIT, MtpError } from '../errors.ts';

const NAME = /^[\p{L}\p{N}._@-]{1,64}$/u;

const userSchema = z.strictObject({
  /** Random and immutable: usage and bans refer to it, so a name can change hands. */
  id: z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 hex digits'),
  name: z.string().regex(NAME, 'must be 1 to 64 letters, digits or . - _ @'),
  key: z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits in lower case'),
  /** ISO 8601, UTC. */
  createdAt: z.iso.datetime(),
  enabled: z.boolean(),
});

/** Somebody who may connect: the key is theirs alone. */
export type User = z.infer<typeof userSchema>;

export const usersFileSchema = z.strictObject({
  version: z.literal(1, 'must be 1, the only one that this version of mtp knows'),
  users: z.array(userSchema).superRefine((users, context) => {
    for (const field of ['id', 'name', 'key'] as const) {
      const seen = new Set<string>();
      for (const [at, user] of users.entries()) {
        const value = field === 'name' ? foldName(user.name) : user[field];
        if (seen.has(value)) context.addIssue({ code: 'custom', path: [at, field], message: 'is there twice' });
        seen.add(value);
      }
    }
  }),
});

/** Names differ when they differ in more than case. */
export function foldName(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}

/** Refuse a name that could be mistaken, break a line or leave a directory. */
export function assertUserName(name: string): void {
  if (NAME.test(name) && !/^\.+$/.test(name)) return;
  throw new MtpError('NAME_INVALID', `${JSON.stringify(name.slice(0, 80))} cannot be a name`, {
    exit: EXIT.usage,
    hint: 'A name has 1 to 64 letters, digits or . - _ @ and is more than dots.',
  });
}
