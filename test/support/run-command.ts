import type { Command } from '@oclif/core';
import { vi } from 'vitest';
import { toMtpError } from '../../src/lib/cli/failure.ts';
import type { MtpError } from '../../src/lib/errors.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

interface Runnable<Result> {
  run: (this: new (...args: never[]) => Command, argv: string[], options: { root: string }) => Promise<Result>;
}

export interface Outcome<Result> {
  result: Result | undefined;
  error: MtpError | undefined;
  stdout: string;
  stderr: string;
}

/** Run a command in this process and collect what it prints. */
export async function run<Result>(command: unknown, argv: string[]): Promise<Outcome<Result>> {
  let [stdout, stderr] = ['', ''];
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((text: unknown) => void (stdout += `${String(text)}\n`)),
    vi.spyOn(console, 'error').mockImplementation((text: unknown) => void (stderr += `${String(text)}\n`)),
  ];
  try {
    const result = await (command as { run: Runnable<Result>['run'] }).run.call(command as never, argv, { root: ROOT });
    return { result, error: undefined, stdout, stderr };
  } catch (error) {
    return { result: undefined, error: toMtpError(error), stdout, stderr };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
