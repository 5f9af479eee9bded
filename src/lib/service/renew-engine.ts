import { renewEngine as renew } from '../control/client.ts';
import type { EngineReply } from '../control/schema.ts';
import type { Paths } from '../system/paths.ts';
import { notRunning } from './not-running.ts';
import { describeHandOver, describeProofs } from './reload.ts';

/** Have the running proxy put another engine in the place of its own; nothing running is an error. */
export async function renewEngine(
  paths: Paths,
  request: { action: 'upgrade' | 'rollback'; package?: string },
): Promise<EngineReply> {
  const reply = await renew(paths, request);
  if (reply === undefined) throw await notRunning(paths);
  return reply;
}

/** What was done, a line each. */
export function describeRenewal({ before, version, directory, handOver, proofs }: EngineReply): string[] {
  const from = before === null ? 'none' : before;
  return [
    `The engine is from ${directory}: version ${version}, before ${from}.`,
    ...describeHandOver(handOver),
    ...describeProofs(proofs),
  ];
}
