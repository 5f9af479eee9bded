import { type Figure, isMet } from './figure.ts';

/** Figures for people and for programs. */

/** Cells of a bar in which the goal is met exactly. */
const GOAL_AT = 20;
const BAR = 30;

/** One line of JSON. Ratios are called so; absolute figures are values. */
export function asJson(figure: Figure): string {
  const { name, value, unit, goal, better, rejected, raw } = figure;
  const said = unit === 'x' ? { ratio: round(value) } : { value: round(value), unit };
  const spread = figure.spread.map(round);
  return JSON.stringify({ name, ...said, spread, goal, better, met: isMet(figure), rejected, raw: rounded(raw) });
}

export const HEADINGS = `${'figure'.padEnd(47)}${'value'.padStart(9)}  ${'spread'.padEnd(19)}${'goal'.padStart(9)}  missed │ met`;

/** One line of a table, with a bar that reaches its mark where the goal is met. */
export function asLine(figure: Figure, colour: boolean): string {
  const met = isMet(figure);
  const paint = (text: string): string => (colour ? `\u001b[${met ? 32 : 33}m${text}\u001b[0m` : text);
  const [least, greatest] = figure.spread;
  const goal = `${figure.better === 'higher' ? '≥' : '≤'} ${short(figure.goal)}`;
  const columns = [
    figure.title.padEnd(46),
    `${short(figure.value)}${figure.unit === 'x' || figure.unit === 'share' ? '' : ` ${figure.unit}`}`.padStart(9),
    ` ${short(least)} – ${short(greatest)}`.padEnd(19),
    goal.padStart(9),
    ` ${paint(bar(figure))}`,
  ];
  const rejected = (figure.rejected ?? 0) === 0 ? '' : `  ${figure.rejected} disturbed`;
  return `${columns.join(' ')}${rejected}`;
}

/** Longer is better, whichever way the figure counts. */
function bar({ value, goal, better }: Figure): string {
  const part = better === 'higher' ? value / goal : goal / value;
  const cells = Math.max(0, Math.min(BAR, Math.round(part * GOAL_AT)));
  const filled = '█'.repeat(cells).padEnd(BAR);
  return cells >= GOAL_AT ? filled.trimEnd() : `${filled.slice(0, GOAL_AT)}│`;
}

/** Where the output is a terminal whose owner has nothing against colours. */
export function wantsColour(): boolean {
  return process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
}

function short(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

export function round(value: number): number {
  return Number(value.toPrecision(4));
}

function rounded(values: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(value)]));
}
