/** A row of a CSV file (RFC 4180) with the line that it begins on, the first being 1. */
export interface CsvRow {
  line: number;
  fields: string[];
}

/** The text breaks the rules of CSV at that line. */
export interface CsvFault {
  line: number;
  fault: string;
}

/**
 * The rows of a CSV text, with commas, quotes and either kind of line end; empty lines are left out. A field that was begun
 * with a quote and is never ended, or goes on behind its end, is a fault, and nothing behind it is read.
 */
export function parseCsv(text: string): { rows: CsvRow[]; fault: CsvFault | undefined } {
  const rows: CsvRow[] = [];
  // A file of a spreadsheet may begin with a byte order mark.
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const row: CsvRow = { line, fields: [] };
    for (let more = true; more;) {
      let field: string;
      if (text[at] === '"') {
        const end = endOfQuoted(text, at);
        if (end === undefined) return { rows, fault: { line: row.line, fault: 'a quote is opened and not closed' } };
        field = text.slice(at + 1, end).replaceAll('""', '"');
        line += field.split('\n').length - 1;
        at = end + 1;
        if (at < text.length && !/[,\r\n]/.test(text[at] as string)) {
          return { rows, fault: { line, fault: 'something follows a closing quote' } };
        }
      } else {
        const end = endOfPlain(text, at);
        field = text.slice(at, end);
        at = end;
      }
      row.fields.push(field);
      more = text[at] === ',';
      if (more) at++;
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    line++;
    if (row.fields.length > 1 || row.fields[0] !== '') rows.push(row);
  }
  return { rows, fault: undefined };
}

/** Where the quote closes that opens at `from`; a doubled one does not. */
function endOfQuoted(text: string, from: number): number | undefined {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return undefined;
}

function endOfPlain(text: string, from: number): number {
  const end = /[,\r\n]/g;
  end.lastIndex = from;
  return end.exec(text)?.index ?? text.length;
}
