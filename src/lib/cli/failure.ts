import { errnoCode, EXIT, MtpError } from '../errors.ts';

/**
 * Any thrown value as an error that can be shown: our own as it is, a parse error of the command line as `USAGE`, Ctrl-C
 * in a prompt as `INTERRUPTED`. What is left is a bug and says so.
 */
export function toMtpError(error: unknown): MtpError {
  if (error instanceof MtpError) return error;
  if (!(error instanceof Error)) return new MtpError('BUG', `unexpected failure: ${String(error)}`, { hint: BUG_HINT });
  if (error.name === 'ExitPromptError' || error.message === 'SIGINT') {
    return new MtpError('INTERRUPTED', 'interrupted; nothing was changed', { exit: EXIT.interrupted });
  }
  if (isUsageError(error)) {
    const message = usageMessage(error.message);
    return new MtpError('USAGE', message, {
      exit: EXIT.usage,
      hint: 'Add --help to see what is allowed.',
      cause: error,
    });
  }
  return new MtpError(errnoCode(error) ?? 'BUG', `unexpected failure: ${error.message}`, {
    hint: BUG_HINT,
    cause: error,
  });
}

/**
 * The gist of a parser message: its first line, and after a colon the names that stand in the lines below it. Where the first
 * line only says that something is wrong, those below it say what.
 */
function usageMessage(text: string): string {
  const [first = 'wrong usage', ...rest] = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('See more help'));
  if (/^The following errors? occurred:$/.test(first)) return rest.join('; ');
  const [, flag] = /^Parsing (--\S+)$/.exec(first) ?? [];
  if (flag !== undefined) return `${flag}: ${rest.join(' ')}`;
  if (!first.endsWith(':')) return first;
  return `${first} ${rest.map((line) => line.split(/\s{2,}/)[0]).join(', ')}`;
}

const BUG_HINT = 'This is a bug in mtp. Run it again with MTP_DEBUG=1 and report what it prints.';

function isUsageError(error: Error): boolean {
  return 'parse' in error || ('oclif' in error && (error.oclif as { exit?: number }).exit === 2);
}

/** The error as the `--json` output shows it. */
export function failureJson(error: MtpError): {
  error: { code: string; message: string; hint?: string; exit: number };
} {
  const { code, message, hint, exit } = error;
  return { error: { code, message, ...(hint === undefined ? {} : { hint }), exit } };
}
