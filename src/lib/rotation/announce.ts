import { type HookOutcome, runHook } from '../hooks/hooks.ts';
import { type Access, userLinks } from '../link/access.ts';
import type { Paths } from '../system/paths.ts';
import type { Rotated } from './rotate.ts';

/** Why secrets were replaced. */
export type RotationReason = 'command' | 'emergency' | 'policy';

/** Name of the hook that is told of new secrets. */
export const ROTATE_HOOK = 'on-rotate';

/** What the hook reads: everything that it takes to tell users. Times in ISO 8601. */
export function rotationMessage(rotated: Rotated[], access: Access, reason: RotationReason, now: number): unknown {
  return {
    event: 'rotate',
    at: new Date(now).toISOString(),
    reason,
    rotations: rotated.map(({ user, fresh, before }) => ({
      user: { id: user.id, name: user.name, tags: user.tags, note: user.notes },
      secret: fresh,
      links: user.secrets.filter(({ id }) => id === fresh).flatMap((secret) => userLinks(secret, access)),
      before: before.map(({ id, state, retiringUntil }) => ({
        secret: id,
        state,
        until: retiringUntil === null ? null : new Date(retiringUntil).toISOString(),
      })),
    })),
  };
}

/** Have the operator's hook tell users of their new links. */
export async function announceRotation(
  { hooks }: Pick<Paths, 'hooks'>,
  rotated: Rotated[],
  access: Access,
  { reason, now }: { reason: RotationReason; now: number },
): Promise<HookOutcome> {
  return runHook(hooks, ROTATE_HOOK, rotationMessage(rotated, access, reason, now));
}
