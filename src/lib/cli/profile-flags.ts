import { Flags } from '@oclif/core';

/** What an operator decides about a user, the same for a new one and one who is there. `none` takes a limit away. */
export const profileFlags = {
  devices: Flags.string({ summary: 'Devices at once, eight connections each; or none.', helpValue: 'COUNT' }),
  'max-networks': Flags.string({
    summary: 'Networks at once: IPv4 addresses and IPv6 /64; or none.',
    helpValue: 'COUNT',
  }),
  quota: Flags.string({
    summary: 'Traffic a day, week, month or in total, such as 50GB/month; or none.',
    helpValue: 'AMOUNT/PERIOD',
  }),
  'quota-from': Flags.string({
    summary: 'Day from which the periods of the quota are counted; today if not given.',
    helpValue: 'DAY',
  }),
  speed: Flags.string({ summary: 'Bits a second, up and down each, such as 10Mbit; or none.', helpValue: 'RATE' }),
  up: Flags.string({ summary: 'Bits a second from the user; or none.', helpValue: 'RATE' }),
  down: Flags.string({ summary: 'Bits a second to the user; or none.', helpValue: 'RATE' }),
  expires: Flags.string({
    summary: 'Until when the user is let in: 30d, 2w, 12h, or a day such as 2027-01-31; or none.',
    helpValue: 'WHEN',
  }),
  'rotate-after': Flags.string({
    summary: 'Age at which a secret is replaced by itself, such as 30d; or none, for rotation.max_age of the settings.',
    helpValue: 'SPAN',
  }),
  tag: Flags.string({
    summary: 'A tag; may be repeated. Those given are all there are; none for none.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'TAG',
  }),
  note: Flags.string({ summary: 'A line for yourself.', helpValue: 'TEXT' }),
};
