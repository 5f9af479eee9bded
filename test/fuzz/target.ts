import type fc from 'fast-check';
import type { Mutate } from './mutate.ts';
import type { Random } from './random.ts';

/** Throws, or rejects, when an input shows a mistake. `random` gives the same numbers whenever the same case is repeated. */
export type Check = (input: Buffer, random: Random) => void | Promise<void>;

export interface Target {
  name: string;
  /** Share of the cases among all targets. */
  weight: number;
  /** Inputs made by real programs, or by hand. */
  corpus: readonly Buffer[];
  /** Inputs that are right, or nearly, in ways that no corpus has. */
  arbitrary: fc.Arbitrary<Buffer>;
  mutate: Mutate;
  open: () => Promise<{ check: Check; close: () => Promise<void> }>;
}

/** A check that needs nothing around it. */
export function alone(check: Check): Target['open'] {
  return async () => ({ check, close: async () => Promise.resolve() });
}
