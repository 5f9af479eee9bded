import { formatTable } from '../ui/table.ts';
import { plural } from '../ui/format.ts';
import type { TuneOutcome } from './apply.ts';
import type { TunePlan } from './plan.ts';
import type { TuneUndone } from './undo.ts';

/** The plan for a terminal: what changes as a table, then what stays. */
export function planLines({ file, lines }: TunePlan): string[] {
  const changes = lines.filter(({ action }) => action === 'change');
  const names = (action: 'keep' | 'absent'): string[] =>
    lines.filter((line) => line.action === action).map(({ key }) => key);
  const overridden = changes.flatMap(({ key, overriddenBy }) =>
    overriddenBy === null ? [] : [`  ${key}: ${overriddenBy} sets it again at the next boot, after us`],
  );
  const table = changes.flatMap(({ key, current, wanted, reason }) => [
    `  ${key}`,
    `    ${current ?? ''} -> ${wanted ?? ''}   ${reason}`,
  ]);
  return [
    changes.length === 0 ? 'Nothing to change.' : `To change, now and in ${file}:`,
    ...table,
    ...(overridden.length === 0 ? [] : ['Overridden:', ...overridden]),
    ...listed('Good as they are', names('keep')),
    ...listed('Not in this kernel', names('absent')),
  ];
}

export function outcomeLines({ file, set, refused }: TuneOutcome): string[] {
  if (set.length + refused.length === 0) return ['Nothing to change.'];
  const rows = set.map(({ key, before, after }) => [key, before, after]);
  return [
    ...(set.length === 0 ? [] : formatTable(['SET', 'BEFORE', 'NOW'], rows)),
    ...refused.map(({ key, why }) => `${key}: not set; ${why}`),
    `Wrote ${file}. Take it back with: mtp tune undo`,
  ];
}

export function undoneLines(undone: TuneUndone | null): string[] {
  if (undone === null) return ['Nothing to undo: mtp has changed nothing here.'];
  const { restored, left, failed, file } = undone;
  return [
    `${plural(restored.length, 'key')} restored.`,
    ...left.map(({ key, value }) => `${key}: left at ${value}, which somebody set since`),
    ...failed.map(({ key, why }) => `${key}: not restored; ${why}`),
    ...(file === null ? [] : [file.kept ? `Kept ${file.path}: it was changed since.` : `Removed ${file.path}.`]),
  ];
}

const WIDTH = 78;

/** A list of names under a title, wrapped. */
function listed(title: string, names: string[]): string[] {
  if (names.length === 0) return [];
  const lines: string[] = [];
  for (const [at, name] of names.entries()) {
    const word = at === names.length - 1 ? name : `${name},`;
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > WIDTH) lines.push(`  ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return [`${title}:`, ...lines];
}
