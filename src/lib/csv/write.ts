/**
 * Rows as CSV (RFC 4180), each ended by a line feed. A spreadsheet runs a field that begins with one of `= + - @` as a formula;
 * such a field gets an apostrophe in front, which `unguard` takes away.
 */
export function writeCsv(rows: string[][]): string {
  return rows.map((fields) => `${fields.map((field) => quote(guard(field))).join(',')}\n`).join('');
}

/** What a field says, without the apostrophe that `writeCsv` put in front. */
export function unguard(field: string): string {
  return /^'+[=+\-@]/.test(field) ? field.slice(1) : field;
}

function guard(field: string): string {
  return /^'*[=+\-@]/.test(field) ? `'${field}` : field;
}

function quote(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
