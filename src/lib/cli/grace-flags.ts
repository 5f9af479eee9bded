import { Flags } from '@oclif/core';
import { parseSpan } from '../config/duration.ts';
import { EXIT, MtpError } from '../errors.ts';

/** How secrets go that are replaced. */
export const graceFlags = {
  grace: Flags.string({
    summary: 'How long the old secret is still accepted, such as 12h or 7d; rotation.grace if not given.',
    helpValue: 'SPAN',
    exclusive: ['emergency'],
  }),
  'limit-networks': Flags.string({
    summary: 'Networks that may use the old secret at once meanwhile; or none.',
    helpValue: 'COUNT',
    exclusive: ['emergency'],
  }),
};

/** What these flags say; undefined is as the settings say. */
export function readGrace(flags: { grace?: string | undefined; 'limit-networks'?: string | undefined }): {
  graceMs?: number;
  limitNetworks?: number | null;
} {
  const { grace, 'limit-networks': networks } = flags;
  return {
    ...(grace === undefined ? {} : { graceMs: readSpan('--grace', grace) }),
    ...(networks === undefined ? {} : { limitNetworks: networks === 'none' ? null : readCount(networks) }),
  };
}

/** Milliseconds of a span; anything else is an error that names the flag. */
export function readSpan(flag: string, text: string): number {
  const ms = parseSpan(text);
  if (ms !== undefined) return ms;
  throw new MtpError('SPAN_INVALID', `${flag} cannot be ${JSON.stringify(text.slice(0, 40))}`, {
    exit: EXIT.usage,
    hint: 'Write a span such as 90m, 12h, 7d or 2w.',
  });
}

function readCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new MtpError('COUNT_INVALID', `--limit-networks cannot be ${JSON.stringify(text.slice(0, 40))}`, {
    exit: EXIT.usage,
    hint: 'Write a whole number, or none for no limit.',
  });
}
