import type { StatusReply } from '../lib/control/schema.ts';
import type { InForce } from './in-force.ts';
import type { Probes } from './probes.ts';
import { readProcess } from './process-facts.ts';
import { effectiveCap, type Machine } from './revision.ts';
import type { Supervisor } from './supervisor/supervisor.ts';
import { unfitFor } from './unfit.ts';

interface StatusParts {
  version: string;
  /** Unix ms at which the daemon was started. */
  startedAt: number;
  machine: Machine;
  supervisor: Supervisor;
  inForce: InForce;
  probes: Probes;
}

/** What runs, as the engines and the kernel say now and the probes saw last. */
export async function readStatus(parts: StatusParts): Promise<Omit<StatusReply, 'usage' | 'announcements'>> {
  const { version, startedAt, machine, supervisor, probes } = parts;
  const { wanted, revision } = parts.inForce;
  const { pid } = supervisor.state;
  const stats = supervisor.state.state === 'running' ? await supervisor.stats() : null;
  return {
    version,
    pid: process.pid,
    startedAt,
    revision: stats?.revision ?? revision.id,
    engine: {
      ...supervisor.state,
      workers: stats?.workers ?? revision.settings.workers,
      accelerator: stats?.accelerator ?? null,
      loopingEnds: supervisor.loopingEnds,
      process: pid === null ? null : await readProcess(pid),
      draining: await readDraining(supervisor),
    },
    cap: effectiveCap(wanted.settings.limits.connections, machine),
    users: { total: wanted.users.length, enabled: wanted.users.filter(({ enabled }) => enabled).length },
    traffic: stats && {
      connections: stats.connections,
      handshakes: stats.handshakes,
      closes: stats.closes,
      workerFailures: stats.workerFailures,
      faults: stats.faults,
      bytes: stats.bytes,
      rssBytes: stats.rssBytes,
    },
    dcs: probes.dcs,
    dcAddresses: stats?.dcs ?? [],
    cover: probes.cover,
    warnings: unfitFor(wanted.settings, wanted.users),
  };
}

async function readDraining({ retired }: Supervisor): Promise<StatusReply['engine']['draining']> {
  return Promise.all(
    retired.map(async ({ engine, ...facts }) => ({
      ...facts,
      connections: await engine.stats().then(
        ({ connections }) => connections.current,
        () => null,
      ),
    })),
  );
}
