import { isAccepted, type User } from '../lib/users/user.ts';

/** Users as they were before, but for access that was taken away since: that stays away, whatever else is restored. */
export function withholdLost(before: User[], after: User[]): User[] {
  const later = new Map(after.map((user) => [user.id, user]));
  return before.flatMap((user) => {
    const since = later.get(user.id);
    if (since === undefined) return [];
    const ends = [user.expiresAt, since.expiresAt].filter((end) => end !== null);
    return [
      {
        ...user,
        enabled: user.enabled && since.enabled,
        expiresAt: ends.length === 0 ? null : Math.min(...ends),
        secrets: user.secrets.flatMap((secret) => {
          const state = since.secrets.find(({ id }) => id === secret.id);
          if (state === undefined) return [];
          return [isAccepted(state) ? secret : state];
        }),
      },
    ];
  });
}
