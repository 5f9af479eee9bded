import { schedule, type ScheduledTask } from 'node-cron';

export interface Job {
  name: string;
  /** Five cron fields, local time. */
  cron: string;
  /** The start is put off by up to this, so that many servers do not all ask at once. */
  jitterMs: number;
  run: () => Promise<void>;
}

/** Run jobs until the returned function is called. A job that fails is reported and tried again at its next time. */
export function startJobs(jobs: Job[], onFailure: (name: string, error: unknown) => void): () => Promise<void> {
  const tasks: ScheduledTask[] = jobs.map(({ name, cron, jitterMs, run }) =>
    schedule(cron, async () => run().catch((error: unknown) => onFailure(name, error)), {
      name,
      noOverlap: true,
      maxRandomDelay: jitterMs,
      suppressMissedWarning: true,
      unref: true,
    }),
  );
  return async () => {
    for (const task of tasks) await task.destroy();
  };
}
