import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { EXIT, MtpError } from '../errors.ts';
import { fileError } from '../system/files.ts';
import { askPassphrase } from '../ui/prompt.ts';

const LEAST = 12;

/** The first line of a file, or of standard input for `-`; asked for on a terminal where no file is given. */
export async function readPassphrase(file: string | undefined, { fresh }: { fresh: boolean }): Promise<Buffer> {
  const phrase = file === undefined ? await askPassphrase({ twice: fresh }) : await firstLine(file);
  if (phrase === '' || (fresh && phrase.length < LEAST)) {
    throw new MtpError('PASSPHRASE', phrase === '' ? 'the passphrase is empty' : 'the passphrase is too short', {
      exit: EXIT.usage,
      hint: `Take ${LEAST} characters at least, better six random words.`,
    });
  }
  return Buffer.from(phrase.normalize('NFKC'));
}

async function firstLine(file: string): Promise<string> {
  try {
    const whole = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
    return whole.split(/\r?\n/, 1)[0] ?? '';
  } catch (error) {
    throw fileError('read', file, error);
  }
}
