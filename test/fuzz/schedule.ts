import type { Target } from './target.ts';

/** Cases of one round; rounds go round all targets, so that each gets its share early. */
const ROUND_CASES = 100_000;

export interface Stretch {
  target: Target;
  from: number;
  cases: number;
}

/** The stretches of one round, from its number; `total` is how many cases there are in all. */
export function roundOf(targets: readonly Target[], total: number, round: number): Stretch[] {
  const sum = targets.reduce((weights, { weight }) => weights + weight, 0);
  return targets
    .map((target) => {
      const share = (cases: number): number => Math.ceil((cases * target.weight) / sum);
      const from = share(Math.min(total, round * ROUND_CASES));
      return { target, from, cases: share(Math.min(total, (round + 1) * ROUND_CASES)) - from };
    })
    .filter(({ cases }) => cases > 0);
}

export function roundsOf(total: number): number {
  return Math.ceil(total / ROUND_CASES);
}
