import { EXIT, MtpError } from '../errors.ts';
import { evaluate, type Origin } from './evaluate.ts';
import { readText } from './read-text.ts';
import type { Problem } from './sources.ts';

export type Check = { file: string; exists: boolean } & (
  { ok: true; counts: Record<Origin['origin'], number> } | { ok: false; problems: Problem[] }
);

/** Whether a start with this file and environment would find a valid configuration. */
export async function checkConfig(
  file: string,
  env: NodeJS.ProcessEnv,
  { mustExist }: { mustExist: boolean },
): Promise<Check> {
  const text = await readText(file);
  if (text === undefined && mustExist) throw missing(file);
  const evaluation = evaluate({ env, file: text === undefined ? undefined : { text, name: file } });
  const facts = { file, exists: text !== undefined };
  if (!evaluation.ok) return { ...facts, ok: false, problems: evaluation.problems };
  const counts = { flag: 0, env: 0, file: 0, default: 0 };
  for (const { origin } of Object.values(evaluation.config.origins)) counts[origin]++;
  return { ...facts, ok: true, counts };
}

/** A file that the operator named is not there. */
export function missing(file: string): MtpError {
  return new MtpError('FILE_ENOENT', `cannot read ${file}: no such file or directory`, {
    exit: EXIT.precondition,
    hint: 'Check the path.',
  });
}
