import { setTimeout as sleep } from 'node:timers/promises';
import { getUsage } from '../control/client.ts';
import { EXIT, MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';
import { formatSpan, plural } from '../ui/format.ts';
import type { UserFiles } from '../users/files.ts';
import { takeEffect } from '../users/take-effect.ts';
import { closeSecrets } from './close.ts';

/** A secret that is about to go. */
export interface Leaving {
  /** Of the user. */
  name: string;
  id: string;
}

const LOOK_MS = 500;

/** Refuse to go on while anybody is connected with a secret; where no proxy runs, nobody is. */
export async function assertUnused(paths: Paths, leaving: Leaving): Promise<void> {
  const connections = await connectionsOf(paths, leaving);
  if (connections === 0) return;
  throw new MtpError(
    'SECRET_IN_USE',
    `the secret ${leaving.id} of ${leaving.name} is used by ${plural(connections, 'connection')}`,
    {
      exit: EXIT.precondition,
      hint: 'Let them end by themselves with --drain 5m, or cut them with --force.',
    },
  );
}

/** Let nobody new in with a secret and wait for those who are connected to go; more than `drainMs` is an error. */
export async function drainSecret(paths: Paths & UserFiles, leaving: Leaving, drainMs: number): Promise<void> {
  const until = performance.now() + drainMs;
  await closeSecrets(paths, { ...leaving, now: false }, Date.now());
  await takeEffect(paths, { done: `the secret ${leaving.id} is closed`, later: 'nobody is let in with it' });
  for (;;) {
    const connections = await connectionsOf(paths, leaving);
    if (connections === 0) return;
    if (performance.now() >= until) {
      throw new MtpError(
        'SECRET_IN_USE',
        `the secret ${leaving.id} of ${leaving.name} is still used by ${plural(connections, 'connection')} after ${formatSpan(drainMs)}`,
        {
          exit: EXIT.temporary,
          hint: 'It lets nobody new in and is not removed yet. Wait longer, or cut them with --force.',
        },
      );
    }
    await sleep(LOOK_MS);
  }
}

async function connectionsOf(paths: Paths, { id }: Leaving): Promise<number> {
  const usage = await getUsage(paths);
  return usage?.rows.find((row) => row.id === id)?.connections ?? 0;
}
