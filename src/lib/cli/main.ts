import { fileURLToPath } from 'node:url';
import { Errors, flush, type Interfaces, run, settings } from '@oclif/core';
import { renderFailure } from '../ui/failure.ts';
import { failureJson, toMtpError } from './failure.ts';
import { pluginsHere } from './plugins-here.ts';

/** Whether traces were asked for: they name files and say nothing to an operator. */
function isDebugging({ MTP_DEBUG = '', DEBUG = '' }: NodeJS.ProcessEnv): boolean {
  return !['', '0', 'false'].includes(MTP_DEBUG) || DEBUG !== '';
}

/** Where the error was made, and what lay under it. */
function traceOf(error: Error): string {
  const { stack = error.message, cause } = error;
  return cause instanceof Error ? `${stack}\ncaused by: ${traceOf(cause)}` : stack;
}

/** Run the command line once and leave with its exit status. `from` is the URL of the script in `bin/`, or how to load. */
export async function main(argv: string[], from: Interfaces.LoadOptions): Promise<void> {
  // Nothing of ours needs compiling; under NODE_ENV=development oclif would load the TypeScript compiler to find out.
  settings.enableAutoTranspile = false;
  try {
    await run(argv, argv[0] === 'run' ? from : withPlugins(from));
    await flush();
  } catch (thrown) {
    if (thrown instanceof Errors.ExitError) {
      process.exitCode = thrown.oclif.exit;
      return;
    }
    const error = toMtpError(thrown);
    // A command prints its own errors as JSON; here are those from before there was one.
    if (argv.includes('--json')) process.stdout.write(`${JSON.stringify(failureJson(error), null, 2)}\n`);
    else process.stderr.write(renderFailure(error, process.stderr.columns));
    if (isDebugging(process.env)) process.stderr.write(`${traceOf(error)}\n`);
    process.exitCode = error.exit;
  }
}

/** Commands of plugins beside our own; the daemon has none. */
function withPlugins(from: Interfaces.LoadOptions): Interfaces.LoadOptions {
  const { directory, installed } = pluginsHere();
  const core = Object.keys(installed);
  if (core.length === 0 || from === undefined || (typeof from !== 'string' && !('root' in from))) return from;
  const options = typeof from === 'string' ? { root: fileURLToPath(from) } : from;
  return { ...options, pluginAdditions: { core, path: directory } };
}
