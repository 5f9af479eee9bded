import { type Slope, slopeOf } from './slope.ts';
import type { Sample } from './soak.ts';

/** What a run of hours may gain in one of them, beyond the noise of its samples. */
const ALLOWED: Readonly<Record<string, number>> = { fds: 20, threads: 1, rssMb: 30, anonymousMb: 30, sessions: 20 };
/** Part of the run in which memory still finds its level. */
const WARM_UP = 0.25;
/** Below this a slope says nothing. */
const JUDGED_SECONDS = 600;
const SIGMAS = 3;

export interface Growth extends Slope {
  name: string;
  allowed: number;
  /** More than allowed, and more than chance. */
  grows: boolean;
}

/** How everything that was sampled changes after the warm-up. */
export function growthOf(samples: readonly Sample[]): Growth[] {
  const seconds = samples.at(-1)?.seconds ?? 0;
  const steady = samples.filter((sample) => sample.seconds >= seconds * WARM_UP);
  return Object.entries(ALLOWED).map(([name, allowed]) => {
    const slope = slopeOf(steady.map((sample) => [sample.seconds / 3600, sample[name as keyof Sample]] as const));
    const grows = seconds >= JUDGED_SECONDS && slope.perHour - SIGMAS * slope.spread > allowed;
    return { name, allowed, grows, ...slope };
  });
}
