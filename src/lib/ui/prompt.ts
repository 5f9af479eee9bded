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

/** Ask for a secret without showing it. To be called where there is a terminal. */
export async function askSecret({ input, output }: Terminal = TERMINAL): Promise<string> {
  const prompts = await import('@inquirer/prompts');
  return prompts.password({ message: 'Secret', mask: true }, { input, output });
}
