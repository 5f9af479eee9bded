import { EXIT, MtpError } from '../../lib/errors.ts';
import type { Endpoint, Engine, EngineRevision, Prepared, Serving } from './engine.ts';

/** A switch from one engine to another, as it went. */
export interface Switched {
  serving: Serving;
  version: string;
  /** For how long clients were left to the queue of the kernel. */
  pausedMs: number;
}

export interface SwitchEdges {
  /** Rejects where an engine does not behave at these endpoints as the revision wants. */
  prove: (probes: Endpoint[], next: Engine) => Promise<void>;
  /** Called when the new process is there, before clients see it. */
  prepared: (next: Prepared) => Promise<void>;
  /** Called when the old one accepts no more and the new one does not yet. */
  paused: () => Promise<void>;
  /** Monotonic ms. */
  clock: () => number;
}

/**
 * Put `next` in the place of `old` (docs/decisions/030): the new process is tried out on loopback, the old one stops
 * accepting and writes down what it accepted, the new one reads that and opens. The sockets stay open all the time, so
 * that clients wait a few milliseconds in the queue of the kernel. Where a step fails, the old engine goes on.
 */
export async function switchEngines(
  old: Engine | undefined,
  next: Engine,
  revision: EngineRevision,
  { prove, prepared, paused, clock }: SwitchEdges,
): Promise<Switched> {
  let isPaused = false;
  try {
    const candidate = await next.prepare(revision);
    await prepared(candidate);
    await prove(candidate.probes, next);
    const from = clock();
    isPaused = true;
    // An engine that ended on its own has nothing to stop.
    await old?.pause().catch(() => undefined);
    await paused();
    const serving = await next.open();
    return { serving, version: candidate.version, pausedMs: clock() - from };
  } catch (error) {
    await next.stop();
    if (isPaused) await old?.open().catch(() => undefined);
    await old?.alone().catch(() => undefined);
    const why = error instanceof Error ? error.message : String(error);
    const rest = old === undefined ? 'there is none that goes on' : 'the running one goes on';
    throw new MtpError('NOT_HANDED_OVER', `the new engine did not take over: ${why}; ${rest}`, {
      cause: error,
      exit: EXIT.rolledBack,
      hint: 'Nothing was changed. "mtp logs" has what the new engine said.',
    });
  }
}
