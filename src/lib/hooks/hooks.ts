import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { errnoCode } from '../errors.ts';

/** What became of a hook of the operator's. */
export type HookOutcome =
  | { state: 'none' }
  | { state: 'ran'; ms: number; output: string }
  | { state: 'failed'; reason: string; output: string };

const HOOK_MS = 30_000;
const OUTPUT_BYTES = 64 * 1024;
const OTHERS_MAY_WRITE = 0o022;

/**
 * Run the hook of a name in a directory, if there is one, with `message` as JSON on its standard input. It runs without a
 * shell, for 30 s at most, and so does what it starts that still writes to where the hook does. A hook that others may write
 * is not run, since it runs with our rights.
 */
export async function runHook(
  directory: string,
  name: string,
  message: unknown,
  limitMs = HOOK_MS,
): Promise<HookOutcome> {
  const file = path.join(directory, name);
  const refusal = await refuse(file);
  if (refusal !== undefined) return refusal === null ? { state: 'none' } : failed(refusal);
  const from = performance.now();
  const running = execa(file, {
    input: `${JSON.stringify(message)}\n`,
    reject: false,
    all: true,
    detached: true,
    killSignal: 'SIGKILL',
    maxBuffer: OUTPUT_BYTES,
    cwd: '/',
    stripFinalNewline: true,
  });
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort();
    endGroup(running.pid);
  }, limitMs);
  const result = await running;
  clearTimeout(timer);
  const output = result.all;
  if (!result.failed) return { state: 'ran', ms: Math.round(performance.now() - from), output };
  const reason = limit.signal.aborted
    ? `it took longer than ${limitMs / 1000} s`
    : result.isMaxBuffer
      ? `it wrote more than ${OUTPUT_BYTES / 1024} KB`
      : result.signal === undefined
        ? result.exitCode === undefined
          ? (errnoCode(result.cause) ?? 'it could not be started')
          : `it ended with status ${result.exitCode}`
        : `it was ended by ${result.signal}`;
  return failed(reason, output);
}

/** End a hook and what it has started: those hold its output open. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // They have ended meanwhile.
  }
}

/** Why a file may not run as a hook; null where there is none, undefined where it may. */
async function refuse(file: string): Promise<string | null | undefined> {
  try {
    for (const place of [file, path.dirname(file)]) {
      const { mode, uid } = await stat(place);
      if ((mode & OTHERS_MAY_WRITE) !== 0) return `others may write ${place}: run chmod go-w ${place}`;
      const self = process.getuid?.();
      if (uid !== 0 && uid !== self) return `${place} belongs to another user`;
    }
    await access(file, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    return code === 'EACCES'
      ? `it cannot be run: chmod u+x ${file}`
      : `it cannot be looked at: ${code ?? String(error)}`;
  }
}

function failed(reason: string, output = ''): HookOutcome {
  return { state: 'failed', reason, output };
}
