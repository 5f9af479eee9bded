import { Flags } from '@oclif/core';
import { LEVELS, MODES } from '../access/level.ts';

const WHEN = 'such as 2027-01-31 (00:00 UTC) or 2027-01-31T18:00+01:00';

/** What is said of networks, of one or of many. */
export const levelFlags = {
  level: Flags.string({ summary: `What they are let do: ${LEVELS.join(', ')}.`, helpValue: 'LEVEL' }),
  mode: Flags.option({ options: MODES, default: 'enforce' as const })({
    summary: 'With observe nothing is done; "access check" says what it would do.',
  }),
};

/** The rest of what is said of a rule. */
export const ruleFlags = {
  ...levelFlags,
  reason: Flags.string({ summary: 'A line for yourself.', helpValue: 'TEXT' }),
  for: Flags.string({
    summary: 'How long the rule holds, such as 90m, 2h or 7d.',
    helpValue: 'SPAN',
    exclusive: ['until'],
  }),
  until: Flags.string({ summary: `When the rule ends, ${WHEN}.`, helpValue: 'TIME' }),
  window: Flags.string({
    summary: 'Only at these times of the week, such as "mon-fri 09:00-17:00"; may be repeated.',
    helpValue: 'DAYS HH:MM-HH:MM',
    multiple: true,
    multipleNonGreedy: true,
  }),
  zone: Flags.string({
    summary: "Time zone of the windows, such as Europe/Berlin; the server's if not given.",
    helpValue: 'ZONE',
  }),
};

/** For what changes something, and may ask. */
export const changeFlags = {
  'dry-run': Flags.boolean({ summary: 'Say what would be done, and do nothing.' }),
  yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
};
