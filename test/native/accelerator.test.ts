import { createCipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Accelerator } from '../../src/lib/protocol/ctr.ts';
import { release } from '../../src/lib/protocol/release.ts';
import { RecordReader } from '../../src/lib/protocol/tls-record.ts';
import type { NativeAccelerator } from '../../src/lib/system/accelerator.ts';
import { FORM, FORM_PLACES, type NativeLanes } from '../../src/lib/system/native-lanes.ts';
import { native, otherBuild } from '../support/accelerator.ts';

describe.skipIf(native === null)('the boundary of the addon', () => {
  const addon = native as Accelerator;
  const functions = addon as unknown as Record<keyof Accelerator, (...args: unknown[]) => unknown>;
  const key = randomBytes(32);
  const counter = randomBytes(16);

  const detached = (): Uint8Array => {
    const bytes = new Uint8Array(64);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    return bytes;
  };
  /** A view on memory that has shrunk beneath it. */
  const shrunk = (): Uint8Array => {
    const memory = new ArrayBuffer(64, { maxByteLength: 64 });
    const bytes = new Uint8Array(memory, 32, 32);
    memory.resize(16);
    return bytes;
  };
  const anything = fc.oneof(
    fc.constantFrom<unknown>(
      0,
      1,
      16,
      31,
      32,
      64,
      -1,
      -0,
      0.5,
      NaN,
      Infinity,
      -Infinity,
      2 ** 31,
      2 ** 32,
      2 ** 53,
      2 ** 64,
    ),
    fc.integer({ min: -5, max: 70 }),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(key, counter).map((bytes) => Buffer.from(bytes)),
    fc.constant(null).map(detached),
    fc.constant(null).map(shrunk),
    fc.constant(null).map(() => new Uint8Array(new SharedArrayBuffer(64))),
    fc.constant(null).map(() => new DataView(new ArrayBuffer(64))),
    fc.constant(null).map(() => new Float64Array(8)),
    fc.constant(null).map(() => new Proxy(new Uint8Array(64), {})),
    fc.constant(null).map(() => addon.open(key, counter, 3)),
    fc.anything({ withBigInt: true, withDate: true, withTypedArray: true }),
  );

  test('any arguments in any order are an answer or an exception, and what is not theirs is not touched', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(functions)) as fc.Arbitrary<keyof typeof functions>,
        fc.array(anything, { maxLength: 6 }),
        (name, args) => {
          const before = args.map((arg) => (Buffer.isBuffer(arg) ? Buffer.from(arg) : null));
          try {
            const answer = functions[name](...args);
            expect(['boolean', 'number', 'undefined']).toContain(typeof answer);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
            expect(['ERR_INVALID_ARG_TYPE', 'ERR_OUT_OF_RANGE']).toContain((error as { code?: string }).code);
            for (const [at, arg] of args.entries()) if (Buffer.isBuffer(arg)) expect(arg).toEqual(before[at]);
          }
        },
      ),
      { numRuns: 5000 },
    );
  });

  test('a range is changed when it is inside the buffer, and refused otherwise', () => {
    const sizes = fc.integer({ min: -3, max: 70 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 64 }), sizes, sizes, (size, start, length) => {
        const memory = Buffer.alloc(size + 32, 1);
        const buffer = memory.subarray(16, 16 + size);
        const handle = addon.open(key, counter, 0);
        if (start >= 0 && length >= 0 && start + length <= size) {
          const expected = Buffer.from(memory);
          createCipheriv('aes-256-ctr', key, counter)
            .update(buffer.subarray(start, start + length))
            .copy(expected, 16 + start);
          expect(addon.apply(handle, buffer, start, length)).toBe(true);
          expect(memory.equals(expected)).toBe(true);
        } else {
          expect(() => addon.apply(handle, buffer, start, length)).toThrow(RangeError);
          expect(() => addon.recrypt(handle, handle, buffer, start, length)).toThrow(RangeError);
          expect(memory.equals(Buffer.alloc(size + 32, 1))).toBe(true);
        }
        addon.close(handle);
      }),
    );
  });

  test.each([
    ['a detached buffer', detached, RangeError],
    ['a buffer out of bounds', shrunk, RangeError],
    ['shared memory', () => new Uint8Array(new SharedArrayBuffer(64)), TypeError],
    ['no Uint8Array', () => new Uint16Array(64), TypeError],
  ])('%s is refused', (_, make, error) => {
    const handle = addon.open(key, counter, 0);
    expect(() => addon.apply(handle, make() as Uint8Array, 0, 1)).toThrow(error);
    expect(() => addon.open(make() as Uint8Array, counter, 0)).toThrow(error);
    addon.close(handle);
  });

  test('a closed or invented handle is stale for good', () => {
    const handle = addon.open(key, counter, 0);
    addon.close(handle);
    const other = addon.open(key, counter, 0);
    addon.close(handle);
    const data = Buffer.alloc(8);
    for (const stale of [handle, 0, handle + 1, other + 16_384, Number.MAX_SAFE_INTEGER]) {
      expect(addon.apply(stale, data, 0, 8)).toBe(false);
      expect(addon.recrypt(other, stale, data, 0, 8)).toBe(false);
      expect(addon.recrypt(stale, other, data, 0, 8)).toBe(false);
    }
    expect(data.equals(Buffer.alloc(8))).toBe(true);
    expect(addon.apply(other, data, 0, 8)).toBe(true);
    addon.close(other);
  });

  test('streams that are left alone make room, and those in use stay', () => {
    const data = Buffer.alloc(16);
    const isOpen = (handle: number): boolean => addon.apply(handle, data, 0, data.length);
    const busy = Array.from({ length: 200 }, () => addon.open(key, counter, 0));
    const silent = Array.from({ length: 10_000 }, (_, number) => {
      if (number % 50 === 0) expect(busy.every(isOpen)).toBe(true);
      return addon.open(key, counter, 0);
    });
    expect(silent.filter(isOpen).length).toBeLessThan(4000);
    for (const handle of [...busy, ...silent]) addon.close(handle);
  });

  test('streams that are never closed take no more memory than the table', () => {
    const open = (count: number): void => {
      for (let number = 0; number < count; number++) addon.open(key, counter, 5);
    };
    open(20_000);
    const before = process.memoryUsage.rss();
    open(200_000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(16_000_000);
  });

  // AddressSanitizer has an allocator of its own.
  const glibc = native !== null && 'trim' in native && process.env['ASAN_OPTIONS'] === undefined;

  test.skipIf(!glibc)('memory that is free between what is in use goes back to the system', () => {
    const all = Array.from({ length: 4000 }, () => Buffer.alloc(16_384, 1));
    for (const [index, buffer] of all.entries()) if (index % 50 !== 0) release(buffer);
    const before = process.memoryUsage.rss();
    (addon as NativeAccelerator).trim?.();
    expect(before - process.memoryUsage.rss()).toBeGreaterThan(30_000_000);
    expect(all[50]?.[16_383]).toBe(1);
  });

  test('threads have streams of their own and take them along', { timeout: 60_000 }, async () => {
    const handle = addon.open(key, counter, 0);
    for (let turn = 0; turn < 3; turn++) {
      const threads = [1, 2, 3].map(
        () =>
          new Worker(new URL('fixtures/thread.ts', import.meta.url), {
            workerData: { key, counter, handle, otherBuild },
          }),
      );
      const answers = await Promise.all(threads.map(async (thread) => (await once(thread, 'message')) as unknown[]));
      const expected = createCipheriv('aes-256-ctr', key, counter).update(Buffer.alloc(1000)).toString('hex');
      expect(answers.flat()).toEqual(threads.map(() => ({ foreign: false, own: expected })));
      await Promise.all(threads.map(async (thread) => thread.terminate()));
    }
    expect(addon.apply(handle, Buffer.alloc(8), 0, 8)).toBe(true);
    addon.close(handle);
  });
});

describe.skipIf(native?.startLanes === undefined)('what lanes add to the boundary', () => {
  const addon = native as Accelerator & NativeLanes;
  /** Descriptors that nobody has, so that nothing of this process comes into a lane. */
  const odd = fc.oneof(
    fc.constantFrom(-1, 0.5, NaN, Infinity, -Infinity, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 64, -0.5),
    fc.double(),
  );
  const forms = fc.array(odd, { minLength: FORM_PLACES - 2, maxLength: FORM_PLACES + 2 }).map((numbers) => {
    const form = Float64Array.from(numbers);
    for (const at of [FORM.clientFd, FORM.dcFd]) if ((form[at] as number) < 2 ** 30) form[at] = 2 ** 30;
    return form;
  });

  test('a form that cannot be is no lane, and is not changed', () => {
    addon.startLanes(() => undefined);
    fc.assert(
      fc.property(forms, odd, (form, number) => {
        const before = form.slice();
        for (const act of [() => addon.enter(form), () => addon.unwrap(form, Buffer.alloc(0), 0, 0)]) {
          try {
            expect(act()).toBe(0);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
        }
        expect(form).toEqual(before);
        if (Number.isSafeInteger(number) && number >= 0) expect(addon.leave(number, new Float64Array(20))).toBe(false);
        else expect(() => addon.leave(number, new Float64Array(20))).toThrow(RangeError);
      }),
      { numRuns: 2000 },
    );
    expect(addon.tally(new Float64Array(30))).toBe(0);
  });

  test.each([
    ['too few numbers', () => new Float64Array(2), RangeError],
    ['no Float64Array', () => new Uint8Array(200), TypeError],
    ['shared memory', () => new Float64Array(new SharedArrayBuffer(800)), TypeError],
  ])('%s are refused', (_, make, error) => {
    const form = make() as Float64Array;
    expect(() => addon.enter(form)).toThrow(error);
    expect(() => addon.leave(1, form)).toThrow(error);
    expect(() => addon.tally(form)).toThrow(error);
    expect(() => addon.unwrap(form, Buffer.alloc(1), 0, 1)).toThrow(error);
    expect(() => addon.startLanes(form as unknown as () => void)).toThrow(TypeError);
  });

  test('records come off as the reader in JavaScript takes them off, which may go on in between', () => {
    const piece = fc.oneof(
      fc.constant(Buffer.from([0x14, 3, 3, 0, 1, 1])),
      fc.uint8Array({ maxLength: 300 }).map((payload) => {
        return Buffer.concat([Buffer.from([0x17, 3, 3, payload.length >> 8, payload.length & 0xff]), payload]);
      }),
      fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(16_640, 16_641).map((size) => {
        return Buffer.concat([Buffer.from([0x17, 3, 3, size >> 8, size & 0xff]), Buffer.alloc(size)]);
      }),
    );
    const wires = fc.array(piece, { maxLength: 12 }).map((pieces) => Buffer.concat(pieces));
    const cuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 700 }), fc.boolean()), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(wires, cuts, (wire, turns) => {
        const reader = new RecordReader();
        const mixed = new RecordReader();
        const form = new Float64Array(FORM_PLACES);
        for (let at = 0, turn = 0; at < wire.length; turn++) {
          const [size, natively] = turns[turn % turns.length] as [number, boolean];
          const [one, other] = [Buffer.from(wire.subarray(at, at + size)), Buffer.from(wire.subarray(at, at + size))];
          const expected = reader.unwrap(one, one.length);
          mixed.save(form, FORM.records);
          const got = natively ? addon.unwrap(form, other, 0, other.length) : mixed.unwrap(other, other.length);
          if (natively) mixed.restore(form, FORM.records);
          expect(got).toBe(expected);
          if (got === -1) return;
          expect(other.subarray(0, got).equals(one.subarray(0, got))).toBe(true);
          at += size;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
