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
  if (line.length <= columns) return line;
  // A word that is too long for any line stays whole, so that it can be copied.
  const at = line.lastIndexOf(' ', columns);
  const isBlank = line.slice(0, at).trim() === '';
  const cut = isBlank ? line.indexOf(' ', columns) : at;
  if (cut === -1) return line;
  return `${line.slice(0, cut)}\n${wrapLine(indent + line.slice(cut).trimStart(), columns, indent)}`;
}
