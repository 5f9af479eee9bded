import { EXIT, MtpError } from '../errors.ts';
import { loadAccess } from '../link/access.ts';
import { ensureDirectory } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { plural } from '../ui/format.ts';
import type { UserFiles } from '../users/files.ts';
import { announceDue, listDue, type Told, whileAnnouncing } from './announce.ts';
import type { Due } from './outbox.ts';
import { nameSome } from './perform.ts';

const TURN_MS = 60_000;

/** Tell the hook of everything that it was not told of, however often it failed; returns what was told, a sentence. */
export async function announceAll(paths: Paths & UserFiles): Promise<{ secrets: number; sentence: string }> {
  await ensureDirectory(paths.state);
  const access = await loadAccess(paths);
  const told = await whileAnnouncing(
    paths,
    async () => announceDue(paths, access, { now: Date.now, anew: true }),
    TURN_MS,
  );
  const left = (await listDue(paths)).flatMap(({ secrets }) => secrets);
  if (left.length > 0) {
    const why = told.at(-1)?.due.failure ?? 'more came about meanwhile';
    throw new MtpError('HOOK_FAILED', `on-rotate has not been told of ${plural(left.length, 'new secret')}: ${why}`, {
      exit: EXIT.failed,
      hint: `Those of ${nameSome(left)}. Mend the hook in ${paths.hooks} and run this again.`,
    });
  }
  const those = (state: Told['outcome']['state']): Due['secrets'] =>
    told.filter(({ outcome }) => outcome.state === state).flatMap(({ due }) => due.secrets);
  const [done, outdated, unheard] = [those('ran'), those('outdated'), those('none')];
  const parts = [
    ...(done.length === 0
      ? []
      : [`The hook on-rotate was told of ${plural(done.length, 'new secret')}: ${nameSome(done)}.`]),
    ...(outdated.length === 0 ? [] : [`Closed meanwhile, so that there is nothing to tell: ${nameSome(outdated)}.`]),
    ...(unheard.length === 0 ? [] : [`There is no hook on-rotate in ${paths.hooks}, so that nobody is told.`]),
  ];
  return { secrets: done.length, sentence: parts.join(' ') || 'The hook on-rotate has been told of every new secret.' };
}
