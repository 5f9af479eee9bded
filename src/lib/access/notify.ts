import { reloadGuard } from '../control/client.ts';
import { MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';

/** What became of a change of the rules in the running proxy. */
export interface GuardEffect {
  running: boolean;
  sentence: string;
}

/** Have the running proxy read the rules again, which are kept by now. `done` says what was, such as `The rule is kept`. */
export async function notifyGuard(paths: Paths, done: string): Promise<GuardEffect> {
  const reply = await reloadGuard(paths).catch((error: unknown): never => {
    if (!(error instanceof MtpError)) throw error;
    const { code, message, hint, exit } = error;
    throw new MtpError(code, `${done}, but the running proxy was not told: ${message}`, {
      cause: error,
      exit,
      ...(hint === undefined ? {} : { hint }),
    });
  });
  return reply === undefined
    ? { running: false, sentence: 'No proxy is running here; it counts once one is started.' }
    : { running: true, sentence: 'The running engine goes by it.' };
}
