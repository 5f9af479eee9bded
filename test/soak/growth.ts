import { type Slope, slopeOf } from './slope.ts';
import type { Sample } from './soak.ts';

/** What a run of hours may gain in one of them, beyond the noise of its samples. */
const ALLOWED: Readonly<Record<string, number>> = { fds: 20, threads: 1, rssMb: 30, anonymousMb: 30, sessions: 20 };
/** Memory finds its level meanwhile: the replay table alone takes its pages one by one with the first 10,000 sessions. */
const WARM_UP_SECONDS = 300;
/** Of a run that is not judged the first quarter is left out. */
const WARM_UP = 0.25;
/** Below this a slope says nothing. */
const JUDGED_SECONDS = 900;
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
  const judged = seconds >= JUDGED_SECONDS;
  const from = judged ? Math.max(WARM_UP_SECONDS, seconds * WARM_UP) : seconds * WARM_UP;
  const steady = samples.filter((sample) => sample.seconds >= from);
  return Object.entries(ALLOWED).map(([name, allowed]) => {
    const slope = slopeOf(steady.map((sample) => [sample.seconds / 3600, sample[name as keyof Sample]] as const));
    const grows = judged && slope.perHour - SIGMAS * slope.spread > allowed;
    return { name, allowed, grows, ...slope };
  });
}
