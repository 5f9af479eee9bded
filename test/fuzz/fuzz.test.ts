import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Random } from './random.ts';
import { play } from './run.ts';
import { roundOf, roundsOf } from './schedule.ts';
import { TARGETS } from './targets/index.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const BROKEN = fileURLToPath(new URL('fixtures/broken.ts', import.meta.url));
/** A few seconds for all targets together. */
const CASES = 30_000;
const SUM = TARGETS.reduce((sum, { weight }) => sum + weight, 0);

test.each(TARGETS.map((target) => [target.name, target] as const))(
  '%s stands a slice of the fuzz',
  async (_, target) => {
    const { check, close } = await target.open();
    const cases = Math.ceil(Math.max((CASES * target.weight) / SUM, 100));
    expect(await play(target, check, { seed: 20_260_101, from: 0, cases })).toBeNull();
    await close();
  },
);

function fuzz(...args: string[]): { status: number | null; stdout: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 30_000 });
}

describe('a parser that is broken', () => {
  test('is found, with a small input, and found again by what is printed', () => {
    const found = fuzz('--targets', BROKEN, '--only', 'trusts-a-length', '--seed', '7', '--cases', '200000');
    expect(found.stdout).toContain('FAILED trusts-a-length: AssertionError');
    expect(found.stdout).toContain('it reads behind the end');
    expect(found.status).toBe(1);
    const [, hex = ''] = /smallest input, \d+ bytes: ([0-9a-f]*)/.exec(found.stdout) ?? [];
    expect(hex).toMatch(/^000017[0-9a-f]{2}$/);
    const [, again = ''] = /npm run fuzz -- (.*)/.exec(found.stdout) ?? [];
    const repeated = fuzz('--targets', BROKEN, ...again.split(' '));
    expect(repeated.stdout).toContain(hex);
    expect(repeated.status).toBe(1);
  });

  test('is found when it is only slow', () => {
    const { status, stdout } = fuzz('--targets', BROKEN, '--only', 'slow', '--seed', '7', '--cases', '1000');
    expect(stdout).toMatch(/FAILED slow: it took \d+ ms/);
    expect(status).toBe(1);
  });

  test('is not looked for under a name that nothing has', () => {
    expect(fuzz('--only', 'nothing').status).toBe(64);
  });
});

test('equal seeds give equal numbers, others do not', () => {
  const draw = (...seeds: number[]): number[] => {
    const random = new Random(...seeds);
    return Array.from({ length: 8 }, () => random.next());
  };
  expect(draw(1, 2)).toEqual(draw(1, 2));
  expect(new Set([draw(1, 2), draw(2, 1), draw(1), draw(1, 3)].map(String)).size).toBe(4);
});

test('every case is played once, whatever the rounds', () => {
  const total = 1_234_567;
  for (const target of TARGETS) {
    let next = 0;
    for (let round = 0; round < roundsOf(total); round++) {
      for (const stretch of roundOf(TARGETS, total, round).filter((part) => part.target === target)) {
        expect(stretch.from).toBe(next);
        next += stretch.cases;
      }
    }
    expect(next).toBe(Math.ceil((total * target.weight) / SUM));
  }
});
