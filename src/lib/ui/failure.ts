import type { MtpError } from '../errors.ts';
import { label } from './label.ts';
import { wrap } from './wrap.ts';

/** An error as a person sees it: one line that says what is wrong, and one that says what to do. `columns` of the terminal. */
export function renderFailure(error: MtpError, columns?: number): string {
  const hint = error.hint === undefined ? '' : `${wrap(`  ${error.hint}`, columns)}\n`;
  // Breaks are counted without the codes of a colour.
  const message = wrap(`error: ${error.message}`, columns).slice('error'.length);
  return `${label('error', 'red')}${message}\n${hint}`;
}
