import type { ChalkInstance } from 'chalk';
import { stripVTControlCharacters } from 'node:util';

/** Rows under their headers in columns as wide as needed, two spaces apart; one line an item, none with trailing space. */
export function formatTable(headers: string[], rows: string[][]): string[] {
  const lines = [headers, ...rows];
  const widths = headers.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))));
  return lines.map((line) =>
    widths
      .map((width, column) => pad(line[column] ?? '', width))
      .join('  ')
      .trimEnd(),
  );
}

/** Labels and what stands behind them, one line a pair. */
export function formatPairs(pairs: [string, string][], colours: ChalkInstance): string[] {
  const width = Math.max(...pairs.map(([label]) => widthOf(label)));
  return pairs.map(([label, text]) => `${colours.dim(pad(label, width))}  ${text}`);
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(width - widthOf(cell));
}

/** In code points, colours not counted. */
function widthOf(cell: string): number {
  return Array.from(stripVTControlCharacters(cell)).length;
}
