import type { ChalkInstance } from 'chalk';
import { plural } from '../../ui/format.ts';
import { wrap } from '../../ui/wrap.ts';
import type { LintResult } from './lint.ts';

const COLUMNS = 80;

/** Each finding with its line, its reason and what to do. */
export function lintLines({ file, findings }: LintResult, colours: ChalkInstance): string[] {
  const what = file ?? 'the rules in force';
  if (findings.length === 0) return [`${what}: no fault found.`];
  return [
    ...findings.flatMap(({ id, severity, line, where, why, fix }) => {
      const head = severity === 'error' ? colours.red('error') : colours.yellow('warning');
      return [
        `${line === null ? '' : `line ${line}: `}${head} ${colours.bold(id)}`,
        wrap(`  ${where}`, COLUMNS, '    '),
        wrap(`  ${why}`, COLUMNS, '  '),
        wrap(`  Fix: ${fix}`, COLUMNS, '       '),
      ];
    }),
    `${what}: ${plural(findings.length, 'fault')}.`,
  ];
}
