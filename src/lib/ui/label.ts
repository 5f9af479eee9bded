import { styleText } from 'node:util';

/**
 * The word that a line on stderr begins with, coloured on a terminal unless NO_COLOR says otherwise. By Node's own means,
 * because a short command should not load a colour library for one word.
 */
export function label(word: string, colour: 'red' | 'yellow'): string {
  return styleText(colour, word, { stream: process.stderr });
}
