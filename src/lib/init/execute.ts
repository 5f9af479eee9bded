import { MtpError } from '../errors.ts';
import type { Step as ShowStep } from '../ui/steps.ts';
import type { Journal, Made } from './journal.ts';

/** One step of an installation. Running it twice is as running it once. */
export interface InstallStep {
  id: string;
  title: string;
  /** Whether all is as this step wants it; asked before, and again as the proof afterwards. */
  holds: () => Promise<boolean>;
  /** What the step is going to make that is not there yet, or that it replaces. */
  makes: () => Promise<Made[]>;
  act: () => Promise<void>;
}

/** Where an execution is, for whoever watches it. */
export type Point = 'intended' | 'done';

export interface ExecuteEdges {
  step: ShowStep;
  reached: (id: string, point: Point) => void;
  /** Whether somebody asked to stop. */
  stopped: () => boolean;
}

/**
 * Run the steps in order, until somebody asks to stop; those that hold already are left alone. Returns the ids of those
 * that changed something.
 */
export async function execute(steps: InstallStep[], journal: Journal, edges: ExecuteEdges): Promise<string[]> {
  const changed: string[] = [];
  for (const step of steps) {
    if (edges.stopped()) break;
    if (await step.holds()) continue;
    await edges.step(step.title, async () => run(step, journal, edges));
    changed.push(step.id);
  }
  return changed;
}

async function run(step: InstallStep, journal: Journal, { reached }: ExecuteEdges): Promise<void> {
  await journal.intend(await step.makes());
  reached(step.id, 'intended');
  await step.act();
  reached(step.id, 'done');
  if (await step.holds()) return;
  throw new MtpError('STEP_NOT_PROVED', `${step.title}: it was done, but does not show`, {
    hint: 'Run "mtp init" again; if it stays, report it with the output of --json.',
  });
}
