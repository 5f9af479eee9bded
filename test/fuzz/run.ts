import fc from 'fast-check';
import { smallest } from './minimize.ts';
import { Random } from './random.ts';
import type { Check, Target } from './target.ts';

export interface Failure {
  target: string;
  seed: number;
  /** Number of the case within its target: `--only TARGET --from CASE` repeats it. */
  at: number;
  message: string;
  input: Buffer;
}

export interface Turn {
  seed: number;
  from: number;
  cases: number;
  /** Told the number of every case before it starts. */
  starting?: (at: number) => void;
}

/** A case that takes longer is a failure, unless it is quick when tried again: then the machine was busy. */
export const SLOW_MS = 50;
const RETRIES = 5;
/** Cases that share a pool of generated inputs. */
const POOL_CASES = 20_000;
const GENERATED = 60;

/** Play cases of one target and return the first failure, with its input made small. */
export async function play(
  target: Target,
  check: Check,
  { seed, from, cases, starting }: Turn,
): Promise<Failure | null> {
  let pool: readonly Buffer[] = [];
  for (let at = from; at < from + cases; at++) {
    if (at === from || at % POOL_CASES === 0) pool = poolOf(target, seed, at);
    starting?.(at);
    const random = new Random(seed, hash(target.name), at);
    const input = target.mutate(random.pick(pool), random, pool);
    const fault = await attempt(check, input, seed, at);
    if (fault === null) continue;
    const fails = async (candidate: Buffer): Promise<boolean> => (await attempt(check, candidate, seed, at)) !== null;
    const small = await smallest(input, fails);
    const message = (await attempt(check, small, seed, at)) ?? fault;
    return { target: target.name, seed, at, message, input: small };
  }
  return null;
}

/** What is wrong with one input, or null. */
async function attempt(check: Check, input: Buffer, seed: number, at: number): Promise<string | null> {
  let quickest = Infinity;
  for (let tries = 0; tries < RETRIES; tries++) {
    const started = performance.now();
    try {
      const pending = check(input, new Random(seed, at, 1));
      if (pending !== undefined) await pending;
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    quickest = Math.min(quickest, performance.now() - started);
    if (quickest <= SLOW_MS) return null;
  }
  return `it took ${Math.round(quickest)} ms`;
}

/** What mutations start from: the corpus, and as much that fast-check has made for this stretch of cases. */
function poolOf({ name, corpus, arbitrary }: Target, seed: number, at: number): readonly Buffer[] {
  const stretch = Math.floor(at / POOL_CASES);
  const made = fc.sample(arbitrary, { numRuns: GENERATED, seed: new Random(seed, hash(name), stretch, 2).next() | 0 });
  const copies = corpus.length === 0 ? 0 : Math.ceil(made.length / corpus.length);
  return [...made, ...Array.from({ length: copies }, () => corpus).flat()];
}

function hash(text: string): number {
  let sum = 0;
  for (const char of text) sum = Math.imul(sum ^ char.charCodeAt(0), 0x01000193);
  return sum;
}
