import { stripVTControlCharacters } from 'node:util';

/**
 * Break lines between words where they are longer than the terminal is wide; what goes on is indented by `indent`.
 * Undefined, as where there is no terminal, breaks none.
 */
export function wrap(text: string, columns: number | undefined, indent = '  '): string {
  if (columns === undefined || columns <= indent.length) return text;
  return text
    .split('\n')
    .map((line) => wrapLine(line, columns, indent))
    .join('\n');
}

function wrapLine(line: string, columns: number, indent: string): string {
  const lines: string[] = [];
  let rest = line;
  for (;;) {
    const cut = breakAt(rest, columns);
    if (cut === -1) return [...lines, rest].join('\n');
    lines.push(rest.slice(0, cut).trimEnd());
    rest = indent + rest.slice(cut).trimStart();
  }
}

/** Where to break a line: at the last space that leaves it short enough, or -1. Colours take no room. */
function breakAt(line: string, columns: number): number {
  if (widthOf(line) <= columns) return -1;
  let at = -1;
  for (let space = line.indexOf(' '); space !== -1; space = line.indexOf(' ', space + 1)) {
    const before = line.slice(0, space);
    if (stripVTControlCharacters(before).trim() === '') continue;
    // A word that is too long for any line stays whole, so that it can be copied.
    if (at !== -1 && widthOf(before) > columns) break;
    at = space;
  }
  return at;
}

/** In code points. */
function widthOf(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}
