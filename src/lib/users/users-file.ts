import { EXIT, MtpError } from '../errors.ts';
import { z } from '../system/zod.ts';
import { foldName, isUserName } from './user.ts';

/** `users.json`, where versions before the ledger kept users with their keys in the open. */

const plainUser = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 hex digits'),
  name: z.string().refine(isUserName, 'must be 1 to 64 letters, digits or . - _ @'),
  key: z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits in lower case'),
  /** ISO 8601, UTC. */
  createdAt: z.iso.datetime(),
  enabled: z.boolean(),
});

export type PlainUser = z.infer<typeof plainUser>;

const fileSchema = z.strictObject({
  version: z.literal(1, 'must be 1, the only one that this version of mtp knows'),
  users: z.array(plainUser).superRefine((users, context) => {
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

/** The users in the text of such a file, whose name is for errors. */
export function parseUsersFile(text: string, file: string): PlainUser[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw damaged(file, 'it is not JSON', error);
  }
  const result = fileSchema.safeParse(content);
  if (result.success) return result.data.users;
  const [issue] = result.error.issues;
  const at = issue?.path.join('.') ?? '';
  throw damaged(file, `${at === '' ? 'it' : at}: ${issue?.message ?? 'has an unknown fault'}`, result.error);
}

function damaged(file: string, fault: string, cause: unknown): MtpError {
  return new MtpError('USERS_DAMAGED', `cannot use ${file}: ${fault}`, {
    cause,
    exit: EXIT.precondition,
    hint: 'Correct the file or put a copy back in its place; mtp leaves it as it is.',
  });
}
