import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConductTable } from '../../../../src/daemon/engine/shared/conduct.ts';
import type { Source } from '../../../../src/daemon/engine/shared/source.ts';

const rate = { burst: 10, perMs: 10 / 60_000 };
const source = (number: number): Source => ({ low: number + 1, high: Math.imul(number, 0x9e3779b1) });

describe('new connections of a network', () => {
  it('come at once up to the burst, and again as the window passes', () => {
    const table = ConductTable.create(64);
    const at = (ms: number): boolean => table.pay(source(1), rate, 1, ms);
    expect(Array.from({ length: 12 }, () => at(1000)).filter(Boolean)).toHaveLength(10);
    expect(at(1000 + 5_000)).toBe(false);
    expect(at(1000 + 6_000)).toBe(true);
    expect(at(1000 + 6_001)).toBe(false);
    expect(Array.from({ length: 12 }, () => at(1000 + 120_000)).filter(Boolean)).toHaveLength(10);
    expect(table.pay(source(2), rate, 1, 1000)).toBe(true);
  });

  it('never are more than burst and time allow, however they come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { maxLength: 200 }), (pauses) => {
        const table = ConductTable.create(64);
        let [now, taken] = [1, 0];
        for (const pause of pauses) {
          now += pause;
          if (table.pay(source(1), rate, 1, now)) taken += 1;
        }
        expect(taken).toBeLessThanOrEqual(rate.burst + (now - 1) * rate.perMs + 1e-6);
      }),
    );
  });

  it('are counted by a clock that has passed the end of a cell', () => {
    const table = ConductTable.create(64);
    const start = 2 ** 31 - 1000;
    for (let i = 0; i < 10; i++) table.pay(source(1), rate, 1, start);
    expect(table.pay(source(1), rate, 1, start + 5_000)).toBe(false);
    expect(table.pay(source(1), rate, 1, start + 6_100)).toBe(true);
  });
});

it('a network that is known for something else has its whole burst, however long the machine has been up', () => {
  for (const days of [1, 26, 40, 60]) {
    const table = ConductTable.create(64);
    const now = days * 86_400_000;
    table.note(source(1), 'mac', 5, now, 1000);
    expect(Array.from({ length: 12 }, () => table.pay(source(1), rate, 1, now)).filter(Boolean)).toHaveLength(10);
  }
});

describe('the bucket of a network', () => {
  it('is told of at each step, leaks a point a minute, and forgets its counts once it is empty', () => {
    const table = ConductTable.create(64);
    const note = (second: number): unknown => table.note(source(1), 'mac', 5, second * 1000, second);
    expect(note(1000)).toBeNull();
    expect(note(1000)).toMatchObject({ score: 6, counts: { mac: 2 }, good: false });
    expect(note(1000)).toBeNull();
    // Nine points less six minutes, and three more.
    expect(note(1360)).toMatchObject({ score: 6, counts: { mac: 4 } });
    expect(note(9000)).toBeNull();
    expect(note(9000)).toMatchObject({ score: 6, counts: { mac: 2 } });
  });

  it('fills half as fast for a day where somebody knew a secret', () => {
    const table = ConductTable.create(64);
    table.succeeded(source(1), 0, 1000);
    const weigh = (second: number): number => table.note(source(1), 'replay', 1, 0, second)?.score ?? 0;
    expect(weigh(1001)).toBe(5);
    expect(weigh(1000 + 86_400 + 3600)).toBe(10);
  });
});

it('a million networks fit, those seen last stay known, and newcomers are always served', () => {
  const table = ConductTable.create(1024);
  const busy = source(7);
  for (let i = 0; i < 10; i++) table.pay(busy, rate, 1, 1);
  let served = 0;
  for (let i = 0; i < 1_000_000; i++) {
    if (table.pay(source(1000 + i), rate, 1, i)) served += 1;
    if (i % 100 === 0) table.pay(busy, { burst: 10, perMs: 0 }, 1, i);
  }
  expect(served).toBe(1_000_000);
  expect(table.pay(busy, { burst: 10, perMs: 0 }, 1, 1_000_000)).toBe(false);
  expect(table.memory.byteLength).toBeLessThan(1024 * 80);
});

it('a network can be looked at without paying', () => {
  const table = ConductTable.create(64);
  expect(table.left(source(1), rate, 1000)).toBe(10);
  for (let i = 0; i < 4; i++) table.pay(source(1), rate, 1, 1000);
  expect(table.left(source(1), rate, 1000)).toBe(6);
  expect(table.left(source(1), rate, 13_000)).toBe(8);
});
