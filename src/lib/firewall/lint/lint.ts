import path from 'node:path';
import { missing } from '../../config/check.ts';
import { readText } from '../../config/read-text.ts';
import { EXIT, type ExitStatus } from '../../errors.ts';
import type { Exec } from '../../system/exec.ts';
import { assertRoot } from '../world.ts';
import { checkRules } from './check.ts';
import type { Finding } from './finding.ts';
import { readLiveRules } from './live.ts';
import { readRecipe } from './recipe.ts';

export interface LintResult {
  /** The recipe; null for the rules in force. */
  file: string | null;
  findings: Finding[];
}

/** Name the faults of a recipe, as if it were run on a machine without rules; or of the rules in force. */
export async function lintFirewall(
  file: string | undefined,
  {
    sshPorts,
    exec,
    env,
    isRoot,
    root,
  }: { sshPorts: number[]; exec: Exec; env: NodeJS.ProcessEnv; isRoot: boolean; root: string },
): Promise<LintResult> {
  if (file === undefined) {
    assertRoot(isRoot);
    return { file: null, findings: checkRules(await readLiveRules({ exec, env, root })) };
  }
  const text = await readText(file);
  if (text === undefined) throw missing(file);
  return { file: path.resolve(file), findings: checkRules(readRecipe(text, sshPorts)) };
}

/** 0 without findings, 2 with warnings only, 3 with an error. */
export function lintExit({ findings }: LintResult): ExitStatus {
  if (findings.length === 0) return EXIT.ok;
  return findings.some(({ severity }) => severity === 'error') ? EXIT.audit : EXIT.warnings;
}
