import { planReload, reloadDaemon } from '../control/client.ts';
import type { HandOver, Proof, ReloadPlan, ReloadReply } from '../control/schema.ts';
import type { Paths } from '../system/paths.ts';
import { plural } from '../ui/format.ts';
import { notRunning } from './not-running.ts';

export interface ReloadWishes {
  dryRun: boolean;
  /** Whether to replace the engine where a setting needs that; undefined asks. */
  handOver: boolean | undefined;
  /** Ask the operator; `keys` need another engine process. */
  ask: (keys: string[]) => Promise<boolean>;
}

export type Reloaded = ({ dryRun: true } & ReloadPlan) | ({ dryRun: false } & ReloadReply);

/** Have the running proxy serve what the files say now; nothing running is an error. */
export async function reload(paths: Paths, { dryRun, handOver, ask }: ReloadWishes): Promise<Reloaded> {
  const plan = await planReload(paths);
  if (plan === undefined) throw await notRunning(paths);
  if (dryRun) return { dryRun, ...plan };
  const needed = plan.restartNeeded.length > 0;
  const reply = await reloadDaemon(paths, { handOver: needed && (handOver ?? (await ask(plan.restartNeeded))) });
  if (reply === undefined) throw await notRunning(paths);
  return { dryRun, ...reply };
}

/** What a reload did or would do, a line each. */
export function describeReload(reloaded: Reloaded): string[] {
  const { restartNeeded, changed, revision } = reloaded;
  const keys = restartNeeded.join(', ');
  if (reloaded.dryRun) {
    const needs = restartNeeded.length > 0 ? [`Another engine process is needed for ${keys}.`] : [];
    if (!changed) return ['The running proxy serves what the files say.'];
    return [`Revision ${revision.slice(0, 12)} would come into force.`, ...needs, 'Dry run: nothing was changed.'];
  }
  const pending = restartNeeded.length > 0 ? [`Not in force yet, another engine process is needed: ${keys}`] : [];
  if (!changed) return [`Revision ${revision.slice(0, 12)} is in force already.`, ...pending];
  return [
    ...(reloaded.handOver === null ? [] : describeHandOver(reloaded.handOver)),
    `Revision ${revision.slice(0, 12)} is in force.`,
    ...describeProofs(reloaded.proofs),
    ...pending,
  ];
}

export function describeHandOver({ pid, previousPid, version, pausedMs, tookMs, draining }: HandOver): string[] {
  const after = previousPid === null ? '' : ` after process ${previousPid}`;
  const first = `Engine ${version} serves as process ${pid}${after}; the hand-over took ${tookMs} ms.`;
  if (previousPid === null) return [first];
  return [
    first,
    `New connections waited ${pausedMs} ms at most.`,
    draining === 0
      ? 'The engine before had no connection left.'
      : `The engine before serves ${plural(draining, 'connection')} to the end.`,
  ];
}

export function describeProofs(proofs: Proof[]): string[] {
  return proofs.map(({ name, ok, detail }) => `${ok ? 'Seen' : 'NOT seen'}: ${name}: ${detail}`);
}
