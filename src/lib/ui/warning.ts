import { paint } from './paint.ts';

/** Something that works but should be known, as one line for stderr, without a line end. */
export function renderWarning(text: string): string {
  return `${paint(process.stderr).yellow('warning')}: ${text}`;
}
