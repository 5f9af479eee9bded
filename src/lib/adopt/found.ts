import type { ConfigEdit } from '../config/change.ts';
import { EXIT, MtpError } from '../errors.ts';
import type { Secret, SecretMode } from '../secret/secret.ts';

/** What the settings of another proxy say. */
export interface Found {
  program: 'mtg' | 'MTProxy' | 'mtprotoproxy';
  edits: ConfigEdit[];
  /** Keys of 16 bytes, the name that is known for each, and the kinds of link that people may have. */
  secrets: { name: string | undefined; key: Buffer }[];
  modes: SecretMode[];
  /** What is left out, a sentence each. */
  notes: string[];
}

/** A file that says the rest, as the command line names it. */
export interface ElseWhere {
  file: string;
}

export const AD_TAG_NOTE = 'the ad tag is left out: promoted channels are not supported';

/** The site of mtprotoproxy where none is said. */
export const PYTHON_DOMAIN = 'www.google.com';

export function onlySecret({ key, mode }: Secret): Pick<Found, 'secrets' | 'modes'> {
  return { secrets: [{ name: undefined, key }], modes: [mode] };
}

export function notUnderstood(what: string, why: string): MtpError {
  return new MtpError('ADOPT', `${what}: ${why}`, {
    exit: EXIT.precondition,
    hint: 'Name a file of its settings with --file, or set mtp up with "mtp init" and "mtp secret add NAME --secret-file FILE".',
  });
}
