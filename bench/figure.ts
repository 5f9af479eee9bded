import type { Programs } from './build.ts';
import type { Generator } from './generator.ts';
import type { Site } from './site.ts';

/** What one figure says, and what a run has to make it with. */

export interface Figure {
  name: string;
  title: string;
  value: number;
  /** Least and greatest of the runs. */
  spread: [number, number];
  unit: 'x' | '/s' | 'ms' | 'MB' | 'KB' | 'share';
  goal: number;
  better: 'higher' | 'lower';
  /** Pairs of runs that were disturbed and repeated; missing where runs are not made in pairs. */
  rejected?: number;
  /** Raw medians. */
  raw: Record<string, number>;
}

export interface Bench {
  programs: Programs;
  /** The built engine. */
  entry: URL;
  site: Site;
  generator: Generator;
  pairs: number;
  quick: boolean;
  /** Whether a figure was asked for. */
  wants: (name: string) => boolean;
  /** Called with every figure as it is there. */
  tell: (figure: Figure) => void;
}

export function isMet({ value, goal, better }: Pick<Figure, 'value' | 'goal' | 'better'>): boolean {
  return better === 'higher' ? value >= goal : value <= goal;
}
