import { EXIT, MtpError } from '../errors.ts';
import type { Terminal } from './prompt.ts';

/** Asks a person. Ctrl-C ends with status 130. */
export interface Asker {
  text: (question: string, fallback: string) => Promise<string>;
  choose: (question: string, choices: string[]) => Promise<string>;
  confirm: (question: string, fallback: boolean) => Promise<boolean>;
}

/** A person at a terminal; null where there is none. Questions go to stderr, away from what is printed. */
export function terminalAsker(
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Asker | null {
  if (!input.isTTY || !output.isTTY) return null;
  const terminal = { input, output };
  return {
    text: async (message, fallback) =>
      (await import('@inquirer/prompts')).input({ message, default: fallback }, terminal),
    choose: async (message, choices) => (await import('@inquirer/prompts')).select({ message, choices }, terminal),
    confirm: async (message, fallback) =>
      (await import('@inquirer/prompts')).confirm({ message, default: fallback }, terminal),
  };
}

/** A question that nobody can answer: status 64, and the flag that answers it. */
export function unanswered(question: string, flag: string): MtpError {
  return new MtpError('NEEDS_ANSWER', `cannot ask "${question}" without a terminal`, {
    exit: EXIT.usage,
    hint: `Answer it with ${flag}.`,
  });
}
