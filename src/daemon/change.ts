import type { HandOver, Proof } from '../lib/control/schema.ts';
import { EXIT, MtpError } from '../lib/errors.ts';
import type { ProbeEdges } from '../lib/probe/dc.ts';
import type { InForce } from './in-force.ts';
import { type AccessChange, proveAccess, type Prover, refuting, standingAccess } from './proofs.ts';
import type { Endpoint, Engine, EngineRevision } from './supervisor/engine.ts';
import type { Supervisor } from './supervisor/supervisor.ts';
import type { Log } from './telemetry/log.ts';
import type { Wanted } from './wanted.ts';

/** Bring a revision into force: tell the engine or put another in its place, see whether it behaves, and go back where not. */

export interface ChangeParts {
  supervisor: Supervisor;
  inForce: InForce;
  edges: ProbeEdges;
  log: Log;
  /** Called before an engine is started as another user. */
  runAs: (user: string) => Promise<void>;
}

/** Settings and users, with the revision that they make and what to try out of it. */
export interface Next {
  wanted: Wanted;
  revision: EngineRevision;
  changes: AccessChange[];
}

/** Tell the engine, see whether it behaves, and take it back where it does not. */
export async function applyNext(parts: ChangeParts, next: Next): Promise<Proof[]> {
  const { supervisor, edges, inForce } = parts;
  const { wanted, revision, changes } = next;
  try {
    await supervisor.apply(revision);
    const { listening } = await supervisor.stats();
    const shown = changes.length > 0 ? changes : standingAccess(wanted.users, edges);
    const proofs = await proveAccess(shown, serving(parts, listening, revision), edges);
    assertProved(proofs, revision);
    return proofs;
  } catch (error) {
    throw await takenBack(parts, error, next, async () => {
      await supervisor.apply(inForce.revision);
      return (await supervisor.stats()).listening;
    });
  }
}

/** Put a new engine in the place of the running one, of the same package or of that with this entry. */
export async function handOverTo(
  parts: ChangeParts,
  next: Next,
  module?: URL,
): Promise<{ switched: HandOver; proofs: Proof[] }> {
  const { supervisor, edges, inForce, log, runAs } = parts;
  const { wanted, revision, changes } = next;
  const previousPid = supervisor.state.pid;
  const drainMs = wanted.settings.shutdown.retire_timeout;
  const standing = standingAccess(wanted.users, edges);
  const from = performance.now();
  const prove = async (probes: Endpoint[], engine: Engine): Promise<void> => {
    const provers = probes.map((probe): Prover => ({ listening: probe, settings: revision.settings, engine }));
    const [first] = provers;
    const tried = await Promise.all([
      ...provers.map(async (prover) => proveAccess(standing, prover, edges)),
      first === undefined ? [] : proveAccess(changes, first, edges),
    ]);
    assertProved(tried.flat(), revision);
  };
  log('info', 'hand_over_started', { engine: previousPid, revision: revision.id.slice(0, 12) });
  const wasModule = supervisor.module;
  const before = inForce.wanted.settings.engine.user;
  await runAs(wanted.settings.engine.user);
  const done = await supervisor.handOver(revision, { prove, drainMs, module }).catch(async (error: unknown) => {
    await runAs(before);
    throw error;
  });
  const { pid, listening } = done.serving;
  try {
    const shown = changes.length > 0 ? changes : standing;
    const proofs = await proveAccess(shown, serving(parts, listening, revision), edges);
    assertProved(proofs, revision);
    const draining = await connectionsOfLastRetired(supervisor);
    const [pausedMs, tookMs] = [Math.round(done.pausedMs), Math.round(performance.now() - from)];
    const { version } = done;
    log('info', 'handed_over', { engine: pid, before: previousPid, version, pausedMs, draining });
    return { switched: { pid, previousPid, version, pausedMs, tookMs, draining }, proofs };
  } catch (error) {
    throw await takenBack(parts, error, next, async () => {
      await runAs(before);
      const module = wasModule ?? null;
      const back = await supervisor.handOver(inForce.revision, { prove: async () => undefined, drainMs, module });
      return back.serving.listening;
    });
  }
}

async function connectionsOfLastRetired({ retired }: Supervisor): Promise<number> {
  const stats = await retired
    .at(-1)
    ?.engine.stats()
    .catch(() => undefined);
  return stats?.connections.current ?? 0;
}

/** Restore what was in force, without access that was to be taken away; see whether that holds, and make the error that says so. */
async function takenBack(
  parts: ChangeParts,
  cause: unknown,
  next: Next,
  restore: () => Promise<Endpoint>,
): Promise<MtpError> {
  const { inForce, edges, log } = parts;
  const why = cause instanceof Error ? cause.message : String(cause);
  inForce.withhold(next.wanted);
  const { wanted, revision } = inForce;
  const [failed, before] = [next.revision.id.slice(0, 12), revision.id.slice(0, 12)];
  let outcome: string;
  try {
    const listening = await restore();
    const proofs = await proveAccess(standingAccess(wanted.users, edges), serving(parts, listening, revision), edges);
    const wrong = refuting(proofs, revision.settings);
    outcome =
      wrong.length === 0
        ? `revision ${before} is in force again, and handshakes show it`
        : `revision ${before} is in force again, but does not pass either: ${inWords(wrong)}`;
  } catch (error) {
    outcome = `revision ${before} could not be restored: ${error instanceof Error ? error.message : String(error)}`;
  }
  log('error', 'reload_rolled_back', { revision: failed, reason: why, outcome });
  return new MtpError('ROLLED_BACK', `revision ${failed} did not hold: ${why}; ${outcome}`, {
    cause,
    exit: EXIT.rolledBack,
    hint: 'The files say what did not hold: correct them and reload, or see "mtp config history".',
  });
}

/** The engine that serves clients, for handshakes. */
function serving({ supervisor }: ChangeParts, listening: Endpoint, { settings }: EngineRevision): Prover {
  return { listening, settings, engine: supervisor.serving };
}

function assertProved(proofs: Proof[], { settings }: EngineRevision): void {
  const wrong = refuting(proofs, settings);
  if (wrong.length > 0) throw new MtpError('NOT_PROVED', inWords(wrong));
}

function inWords(proofs: Proof[]): string {
  return proofs.map(({ name, detail }) => `${name}: ${detail}`).join('; ');
}
