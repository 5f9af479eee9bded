import { EXIT, MtpError } from '../errors.ts';

/** The terminal a question is asked on: answers from `input`, the question on `output`, away from what is printed. */
export interface Terminal {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
}

const TERMINAL: Terminal = { input: process.stdin, output: process.stderr };

/**
 * Ask a yes-or-no question, no being the default. Where nobody can answer it is an error that names the flag which
 * answers it; a held-open pipe would make the question hang. Ctrl-C ends with status 130.
 */
export async function confirm(
  question: string,
  flag: string,
  { input, output }: Terminal = TERMINAL,
): Promise<boolean> {
  if (!input.isTTY || !output.isTTY) {
    throw new MtpError('NEEDS_ANSWER', `cannot ask "${question}" without a terminal`, {
      exit: EXIT.usage,
      hint: `Add ${flag} to answer yes.`,
    });
  }
  const prompts = await import('@inquirer/prompts');
  return prompts.confirm({ message: question, default: false }, { input, output });
}

/**
 * Ask a yes-or-no question that has to be answered within `ms`: undefined when it was not. To be called where there is a
 * terminal.
 */
export async function confirmWithin(
  question: string,
  ms: number,
  { input, output }: Terminal = TERMINAL,
): Promise<boolean | undefined> {
  const prompts = await import('@inquirer/prompts');
  const signal = AbortSignal.timeout(Math.max(1, ms));
  try {
    return await prompts.confirm({ message: question, default: false }, { input, output, signal });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** Whether a person can be asked. */
export function canAsk({ input, output }: Terminal = TERMINAL): boolean {
  return input.isTTY && output.isTTY;
}

/** Ask for a secret without showing it. To be called where there is a terminal. */
export async function askSecret({ input, output }: Terminal = TERMINAL): Promise<string> {
  const prompts = await import('@inquirer/prompts');
  return prompts.password({ message: 'Secret', mask: true }, { input, output });
}

/** Ask for a passphrase without showing it, a new one twice. */
export async function askPassphrase(
  { twice }: { twice: boolean },
  { input, output }: Terminal = TERMINAL,
): Promise<string> {
  if (!input.isTTY || !output.isTTY) {
    throw new MtpError('NEEDS_ANSWER', 'cannot ask for a passphrase without a terminal', {
      exit: EXIT.usage,
      hint: 'Name a file with --passphrase-file.',
    });
  }
  const prompts = await import('@inquirer/prompts');
  const phrase = await prompts.password({ message: 'Passphrase', mask: true }, { input, output });
  if (!twice) return phrase;
  const again = await prompts.password({ message: 'Once more', mask: true }, { input, output });
  if (again === phrase) return phrase;
  throw new MtpError('PASSPHRASE_DIFFERS', 'the two passphrases differ', { exit: EXIT.usage, hint: 'Try again.' });
}
