import { notifyDaemon } from '../control/client.ts';
import { MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';

/** What became of a change of the rules in the running proxy. */
export interface GuardEffect {
  running: boolean;
  /** The revision that the engine confirmed; null when no proxy runs. */
  revision: string | null;
  sentence: string;
}

/** Have the running proxy read the rules again, which are kept by now. `done` says what was, such as `the rule is kept`. */
export async function notifyGuard(paths: Paths, done: string): Promise<GuardEffect> {
  const notified = await notifyDaemon(paths).catch((error: unknown): never => {
    if (!(error instanceof MtpError)) throw error;
    const { code, message, hint, exit } = error;
    throw new MtpError(code, `${done}, but the running proxy was not told: ${message}`, {
      cause: error,
      exit,
      ...(hint === undefined ? {} : { hint }),
    });
  });
  if (!notified.running) {
    return { running: false, revision: null, sentence: 'No proxy is running here; it counts once one is started.' };
  }
  const { revision } = notified;
  return { running: true, revision, sentence: `The running proxy serves revision ${revision.slice(0, 12)}.` };
}
