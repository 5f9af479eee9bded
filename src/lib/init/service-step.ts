import { getStatus } from '../control/client.ts';
import { start } from '../service/start.ts';
import { stop } from '../service/stop.ts';
import { findTarget } from '../service/target.ts';
import type { Paths } from '../system/paths.ts';
import type { InstallStep } from './execute.ts';

/** The daemon, running and listening on the wanted port. */
export function serviceStep(paths: Paths, port: number, stopped: () => boolean): InstallStep {
  const running = async () => getStatus(paths).catch(() => undefined);
  return {
    id: 'service',
    title: 'Starting the proxy',
    holds: async () => {
      const status = await running();
      return status?.engine.state === 'running' && status.engine.listening?.port === port;
    },
    makes: async () => [{ kind: 'service', manager: await findTarget(paths) }],
    act: async () => {
      // One that listens elsewhere, or whose engine does not run, has to make room.
      if ((await running()) !== undefined) await stop(paths, { now: false });
      await start(paths, { allowRoot: false, enable: true, stopped });
    },
  };
}
