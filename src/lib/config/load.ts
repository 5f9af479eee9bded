import { EXIT, MtpError } from '../errors.ts';
import { type Config, evaluate, type FlagValue } from './evaluate.ts';
import { readText } from './read-text.ts';
import { formatProblem, type Problem } from './sources.ts';

export interface LoadOptions {
  /** The configuration file; one that does not exist gives nothing. */
  file: string;
  env: NodeJS.ProcessEnv;
  flags?: readonly FlagValue[];
}

/** The settings in force by precedence: flag, `MTP_*` variable, file, default. Rejects with every problem at
 * once. `text` is that of the file. */
export async function loadConfig({
  file,
  env,
  flags = [],
}: LoadOptions): Promise<Config & { text: string | undefined }> {
  const text = await readText(file);
  const evaluation = evaluate({ flags, env, file: text === undefined ? undefined : { text, name: file } });
  if (!evaluation.ok) throw invalidConfig(evaluation.problems);
  return { ...evaluation.config, text };
}

/** One error for all problems, a line each. */
export function invalidConfig(problems: Problem[], hint = 'Correct this, then run: mtp config test'): MtpError {
  const lines = problems.map(formatProblem);
  const message =
    lines.length === 1
      ? (lines[0] ?? '')
      : [`${lines.length} problems in the configuration`, ...lines.map((line) => `  ${line}`)].join('\n');
  return new MtpError('CONFIG_INVALID', message, { exit: EXIT.precondition, hint });
}
