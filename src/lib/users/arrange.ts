import { foldName, type UserRecord } from './user.ts';

/** What users can be listed by. */
export const SORTS = ['added', 'name', 'expires', 'seen'] as const;
export type Sort = (typeof SORTS)[number];

/** Those whose users carry every one of these tags, in this order; who never expires or was never seen comes last. */
export function arrangeUsers<Item extends { user: UserRecord }>(items: Item[], tags: string[], sort: Sort): Item[] {
  const chosen = items.filter(({ user }) => tags.every((tag) => user.tags.includes(tag)));
  switch (sort) {
    case 'added':
      return chosen;
    case 'name':
      return chosen.toSorted(({ user: a }, { user: b }) => (foldName(a.name) < foldName(b.name) ? -1 : 1));
    case 'expires':
      return chosen.toSorted(({ user: a }, { user: b }) => (a.expiresAt ?? Infinity) - (b.expiresAt ?? Infinity) || 0);
    case 'seen':
      return chosen.toSorted(({ user: a }, { user: b }) => (b.lastSeenAt ?? 0) - (a.lastSeenAt ?? 0));
  }
}
