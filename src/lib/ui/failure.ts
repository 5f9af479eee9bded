import type { MtpError } from '../errors.ts';
import { label } from './label.ts';

/** An error as a person sees it: one line that says what is wrong, and one that says what to do. */
export function renderFailure(error: MtpError): string {
  const hint = error.hint === undefined ? '' : `  ${error.hint}\n`;
  return `${label('error', 'red')}: ${error.message}\n${hint}`;
}
