/**
 * What a network is let do, from the least to the most; each level may what those before it may. Clients of the proxy know two
 * outcomes: below STANDARD they are shown the cover whatever secret they have, from STANDARD on they are let in. What the other
 * levels are told apart by are surfaces of control; docs/access.md has the matrix.
 */
export const LEVELS = ['NONE', 'READ_ONLY', 'STANDARD', 'ADMIN', 'SUPERUSER'] as const;
export type Level = (typeof LEVELS)[number];

/** Whether clients of the proxy are let in. */
export function letsIn(level: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf('STANDARD');
}

/** `observe`: what a rule would do is shown by an explanation, and not done. */
export const MODES = ['enforce', 'observe'] as const;
export type Mode = (typeof MODES)[number];
