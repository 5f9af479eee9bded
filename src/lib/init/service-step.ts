import { getStatus } from '../control/client.ts';
import { startService, type Service } from './start-daemon.ts';
import { stopService } from './stop-daemon.ts';
import type { Exec } from '../system/exec.ts';
import type { InstallStep } from './execute.ts';

/** The daemon, running and listening on the wanted port. */
export function serviceStep(service: () => Promise<Service>, port: number, exec: Exec): InstallStep {
  const running = async () => {
    const { paths } = await service();
    return getStatus(paths).catch(() => undefined);
  };
  return {
    id: 'service',
    title: 'Starting the proxy',
    holds: async () => {
      const status = await running();
      return status?.engine.state === 'running' && status.engine.listening?.port === port;
    },
    makes: async () => [{ kind: 'service', manager: (await service()).manager }],
    act: async () => {
      const wanted = await service();
      // One that listens elsewhere, or whose engine does not run, has to make room.
      if ((await running()) !== undefined) await stopService(wanted.manager, wanted.paths, exec);
      await startService(wanted, exec);
    },
  };
}
