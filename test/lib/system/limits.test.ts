import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectionCap, openFilesLimit, parseOpenFiles } from '../../../src/lib/system/limits.ts';
import { availableMemory } from '../../../src/lib/system/memory.ts';

const MB = 2 ** 20;

describe('connection cap', () => {
  it('grows with memory after 300 MB for the system', () => {
    expect(connectionCap(1024 * MB, 1_048_576)).toEqual({ connections: 3620, bound: 'memory' });
  });
  it('is never below 100 on a tiny machine', () => {
    expect(connectionCap(128 * MB, 20_000)).toEqual({ connections: 100, bound: 'floor' });
  });
  it('gives way to the open files limit', () => {
    expect(connectionCap(64 * 1024 * MB, 20_000)).toEqual({ connections: 9744, bound: 'open-files' });
  });
  it('uses memory alone where the limit is unknown', () => {
    expect(connectionCap(512 * MB, undefined).bound).toBe('memory');
  });
  it('is a positive whole number for any machine', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 45 }), fc.option(fc.nat({ max: 2 ** 21 }), { nil: undefined }), (bytes, files) => {
        const { connections } = connectionCap(bytes, files);
        expect(Number.isInteger(connections)).toBe(true);
        expect(connections).toBeGreaterThan(0);
      }),
    );
  });
});

describe('open files limit', () => {
  it('is read from the line of the kernel', () => {
    const text =
      'Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 524288               files     \n';
    expect(parseOpenFiles(text)).toBe(1024);
  });
  it('is unknown when unlimited or absent', async () => {
    expect(parseOpenFiles('Max open files            unlimited            unlimited            files')).toBeUndefined();
    expect(await openFilesLimit('/nonexistent/limits')).toBeUndefined();
  });
  it('never throws on any text', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseOpenFiles(text)));
  });
});

describe('available memory', () => {
  it('is the limit of the control group where that is smaller', () => {
    expect(availableMemory(8 * 1024 * MB, 512 * MB)).toEqual({ bytes: 512 * MB, from: 'cgroup' });
  });
  it('is the machine when the group has no limit', () => {
    expect(availableMemory(1024 * MB, 0).from).toBe('machine');
    expect(availableMemory(1024 * MB, 18_446_744_073_709_552_000).from).toBe('machine');
  });
});
