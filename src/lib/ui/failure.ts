import { EXIT, type ExitStatus, type MtpError } from '../errors.ts';
import { label } from './label.ts';
import { wrap } from './wrap.ts';

/** Whoever mistyped something or pressed Ctrl-C knows why. */
const EXPLAINED: readonly ExitStatus[] = [EXIT.failed, EXIT.precondition, EXIT.temporary, EXIT.rolledBack];

/** An error as a person sees it: one line that says what is wrong, and one that says what to do. `columns` of the terminal. */
export function renderFailure(error: MtpError, columns?: number): string {
  const text = error.hint ?? (EXPLAINED.includes(error.exit) ? `More on this: mtp explain ${error.code}` : undefined);
  const hint = text === undefined ? '' : `${wrap(`  ${text}`, columns)}\n`;
  // Breaks are counted without the codes of a colour.
  const message = wrap(`error: ${error.message}`, columns).slice('error'.length);
  return `${label('error', 'red')}${message}\n${hint}`;
}
