import { label } from './label.ts';

/** Something that works but should be known, as one line for stderr, without a line end. */
export function renderWarning(text: string): string {
  return `${label('warning', 'yellow')}: ${text}`;
}
