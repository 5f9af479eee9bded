import type { Paths } from '../system/paths.ts';
import { describeChange, type UserView, viewUser } from './describe.ts';
import type { UserFiles } from './files.ts';
import { setUser, type UserPatch } from './store.ts';
import { type Effect, takeEffect } from './take-effect.ts';
import { accessWarnings, type UserRecord } from './user.ts';

export interface ChangedUser {
  user: UserView;
  /** What is other than before; one line each. */
  changes: string[];
  effect: Effect;
  /** Why the user is not let in, if so; one sentence each. */
  warnings: string[];
}

/** Change somebody and have a running proxy take it over. What is so already is told to the proxy all the same. */
export async function changeUser(
  paths: Paths & UserFiles,
  name: string,
  decide: (before: UserRecord) => UserPatch,
): Promise<ChangedUser> {
  const { before, user } = await setUser(paths, name, decide);
  const now = Date.now();
  const effect = await takeEffect(paths, {
    done: `${user.name} is changed`,
    later: 'the change counts once it is started',
  });
  const changes = describeChange(before, user, now);
  return { user: viewUser(user, now), changes, effect, warnings: accessWarnings(user, now) };
}

/** The same in lines. */
export function describeChanged({ user, changes, effect }: ChangedUser): string[] {
  if (changes.length === 0) {
    return [`Nothing to change for ${user.name}.${effect.running ? ` ${effect.sentence}` : ''}`];
  }
  return [...changes, `Changed ${user.name}. ${effect.sentence}`];
}
