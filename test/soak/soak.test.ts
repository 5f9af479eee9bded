import { expect, test } from 'vitest';
import { growthOf } from './growth.ts';
import { slopeOf } from './slope.ts';
import { type Sample, soak } from './soak.ts';

test('after mixed traffic every byte is accounted for and nothing is left', async () => {
  const { faults, samples, tally, stats } = await soak({ seconds: 15, clients: 30, sampleMs: 1000, seed: 1 });
  expect([...new Set(faults)]).toEqual([]);
  expect(samples.length).toBeGreaterThan(8);
  expect(tally.sessions).toBeGreaterThan(100);
  expect(stats.handshakes.ok).toBeGreaterThan(100);
}, 90_000);

test('a slope is found with its spread', () => {
  const line = slopeOf([0, 1, 2, 3].map((hours) => [hours, 10 + 4 * hours] as const));
  expect(line).toEqual({ mean: 16, perHour: 4, spread: 0 });
  expect(
    slopeOf([
      [0, 1],
      [1, 3],
      [2, 1],
      [3, 3],
    ]).spread,
  ).toBeCloseTo(0.566, 2);
});

test('what grows is told from what only varies', () => {
  const sample = (seconds: number, fds: number): Sample => {
    return { seconds, fds, threads: 8, rssMb: 100 + (seconds % 7), anonymousMb: 50, sessions: 9, heldByCover: 0 };
  };
  const times = Array.from({ length: 240 }, (_, at) => at * 5);
  const growing = (leak: number): string[] =>
    growthOf(times.map((seconds) => sample(seconds, 30 + (seconds % 11) + seconds * leak)))
      .filter(({ grows }) => grows)
      .map(({ name }) => name);
  expect(growing(0)).toEqual([]);
  expect(growing(0.1)).toEqual(['fds']);
});
