import { readSpan } from '../cli/grace-flags.ts';
import { EXIT, MtpError } from '../errors.ts';
import type { Whose } from './rotate.ts';

/** Whose secrets a command line means: one name, `--all`, or `--older-than`. */
export function readWhose(wish: {
  name?: string | undefined;
  all: boolean;
  'older-than'?: string | undefined;
  'update-env': boolean;
  file?: string | undefined;
}): Whose {
  const { name, all, 'older-than': olderThan, file } = wish;
  const age = olderThan === undefined ? null : readSpan('--older-than', olderThan);
  const olderThanMs = age === null ? null : (): number => age;
  if (name !== undefined && all) throw wrong('--all means everybody, and a name one user');
  if (wish['update-env'] && name === undefined) throw wrong('--update-env takes the secret of one user');
  if (file !== undefined && !wish['update-env']) throw wrong('a file is for --update-env');
  if (name !== undefined) return { names: [name], olderThanMs };
  if (all || age !== null) return { names: 'all', olderThanMs };
  throw wrong('it is not said whose secret to replace');
}

function wrong(message: string): MtpError {
  return new MtpError('WHOSE', message, {
    exit: EXIT.usage,
    hint: 'Name a user, or use --all or --older-than SPAN.',
  });
}
