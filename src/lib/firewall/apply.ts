import { EXIT, MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';
import { type ChangeEdges, putInForce, refusePending } from './change.ts';
import { clearEnded, keep } from './confirm.ts';
import { rollBack } from './pending.ts';
import { ensurePlace } from './place.ts';
import { type FirewallPlan, planFirewall } from './plan.ts';
import type { SshAnswer } from './ssh-answer.ts';
import { assertRoot, type FirewallEdges, readWorld } from './world.ts';

export interface ApplyResult {
  state: 'unchanged' | 'planned' | 'declined' | 'confirmed' | 'pending';
  plan: FirewallPlan;
  /** New connections to SSH, made after the change. */
  ssh: SshAnswer[];
  /** When an unconfirmed change is taken back (ISO 8601); null where none waits. */
  until: string | null;
}

export interface ApplyOptions {
  dryRun: boolean;
  /** Seconds until the rules from before come back. */
  within: number;
  /** What confirms: a person, or that the probes held. */
  confirmBy: 'person' | 'probe';
}

export interface ApplyEdges extends FirewallEdges, ChangeEdges {
  showPlan: (plan: FirewallPlan) => void;
  /** Whether to go on. */
  agree: () => Promise<boolean>;
  /** Whether whoever asked is still there; undefined when time was up, null where nobody can answer. */
  stillThere: (ms: number) => Promise<boolean | undefined | null>;
}

/** Plan, ask, put into force with a way back, and keep it when that is confirmed. */
export async function applyFirewall(paths: Paths, options: ApplyOptions, edges: ApplyEdges): Promise<ApplyResult> {
  const dir = paths.firewall;
  assertRoot(edges.isRoot);
  if (!options.dryRun) {
    await ensurePlace(dir);
    await clearEnded(dir);
    await refusePending(dir);
  }
  const plan = planFirewall(await readWorld(paths, edges));
  edges.showPlan(plan);
  const result: ApplyResult = { state: 'unchanged', plan, ssh: [], until: null };
  if (!plan.isNeeded) return result;
  if (options.dryRun) return { ...result, state: 'planned' };
  if (!(await edges.agree())) return { ...result, state: 'declined' };
  // Somebody may have thought about it for a while.
  const world = await readWorld(paths, edges);
  if (JSON.stringify(planFirewall(world)) !== JSON.stringify(plan)) throw changedMeanwhile();
  const { pending, ssh } = await putInForce(dir, world, options.within, edges);
  const done = { ...result, ssh };
  if (options.confirmBy === 'probe') {
    if (ssh.length > 0 && !ssh.some(({ ok }) => ok)) {
      await rollBack(dir, pending.id);
      throw takenBack('SSH answers on no port, so that the probe proves nothing');
    }
    await keep(dir, pending.id, edges);
    return { ...done, state: 'confirmed' };
  }
  const isThere = await edges.stillThere(pending.until - Date.now()).catch(async (error: unknown) => {
    await rollBack(dir, pending.id);
    throw takenBack('interrupted', error, EXIT.interrupted);
  });
  if (isThere === null) return { ...done, state: 'pending', until: new Date(pending.until).toISOString() };
  if (isThere === true) {
    await keep(dir, pending.id, edges);
    return { ...done, state: 'confirmed' };
  }
  await rollBack(dir, pending.id);
  throw takenBack(isThere === undefined ? 'nobody answered in time' : 'the answer was no');
}

function takenBack(
  why: string,
  cause?: unknown,
  exit: typeof EXIT.rolledBack | typeof EXIT.interrupted = EXIT.rolledBack,
) {
  return new MtpError('FIREWALL_TAKEN_BACK', `${why}: the rules from before are back`, { exit, cause });
}

function changedMeanwhile(): MtpError {
  return new MtpError('FIREWALL_CHANGED', 'the rules or the settings are no longer those of the plan', {
    exit: EXIT.temporary,
    hint: 'Nothing was changed. Look at the plan again: mtp firewall apply',
  });
}
