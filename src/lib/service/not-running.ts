import { EXIT, MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';
import { findEngines } from './processes.ts';

/** The error of a command that needs a daemon where none answers. An engine that outlived its daemon is named. */
export async function notRunning(paths: Paths): Promise<MtpError> {
  const engines = await findEngines(paths);
  if (engines.length > 0) {
    return new MtpError(
      'NO_DAEMON',
      `the daemon is gone; its engine (process ${engines.join(', ')}) goes on relaying`,
      {
        exit: EXIT.failed,
        hint: 'Start a daemon, which relieves that engine, with "mtp start", or end the engine with "mtp stop".',
      },
    );
  }
  return new MtpError('NOT_RUNNING', `no proxy runs here: nothing answers on ${paths.socket}`, {
    exit: EXIT.failed,
    hint: 'Start it with "mtp start", or name its directory with --home.',
  });
}
