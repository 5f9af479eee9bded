import { foldName, type UserRecord } from './user.ts';

/** What users can be listed by. */
export const SORTS = ['added', 'name', 'expires', 'seen'] as const;
export type Sort = (typeof SORTS)[number];

/** The users that carry every one of these tags, in this order; those who never expire or were never seen come last. */
export function arrangeUsers<Record extends UserRecord>(users: Record[], tags: string[], sort: Sort): Record[] {
  const chosen = users.filter((user) => tags.every((tag) => user.tags.includes(tag)));
  switch (sort) {
    case 'added':
      return chosen;
    case 'name':
      return chosen.toSorted((a, b) => (foldName(a.name) < foldName(b.name) ? -1 : 1));
    case 'expires':
      return chosen.toSorted((a, b) => (a.expiresAt ?? Infinity) - (b.expiresAt ?? Infinity) || 0);
    case 'seen':
      return chosen.toSorted((a, b) => (b.lastSeenAt ?? 0) - (a.lastSeenAt ?? 0));
  }
}
