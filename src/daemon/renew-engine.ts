import { fileURLToPath } from 'node:url';
import path from 'node:path';
import type { EngineReply } from '../lib/control/schema.ts';
import type { Daemon } from './daemon.ts';
import { engineEntry, ownPackage, previousPackage, savePrevious } from './engine-package.ts';
import type { Supervisor } from './supervisor/supervisor.ts';

export interface RenewParts {
  daemon: Daemon;
  supervisor: Supervisor;
  state: string;
  /** Copy of the package that this daemon was started from; undefined where there is none. */
  kept: string | undefined;
}

/**
 * Put an engine of another package, or of ours as it is on the disk now, in the place of the running one; and back. What ran
 * before is written down once the new one has proved itself.
 */
export async function renewEngine(
  { daemon, supervisor, state, kept }: RenewParts,
  { action, package: named }: { action: 'upgrade' | 'rollback'; package?: string | undefined },
): Promise<EngineReply> {
  const before = supervisor.state.version;
  const was = supervisor.module === undefined ? (kept ?? ownPackage()) : packageOf(supervisor.module);
  const directory = action === 'rollback' ? await previousPackage(state) : path.resolve(named ?? ownPackage());
  const { switched, proofs } = await daemon.renewEngine(await engineEntry(directory));
  await savePrevious(state, was);
  return { before, version: switched.version, directory, handOver: switched, proofs };
}

/** Directory of the package that has this entry. */
function packageOf(module: URL): string {
  return path.resolve(path.dirname(fileURLToPath(module)), '../../..');
}
