import type { HistoryRow } from '../config/history.ts';
import { formatTable } from './table.ts';

/** The lines of `mtp config history`. */
export function historyTable(rows: HistoryRow[]): string[] {
  if (rows.length === 0) return ['No configuration was in force yet.'];
  return formatTable(
    ['', 'NUMBER', 'REVISION', 'IN FORCE SINCE', 'LINES'],
    rows.map(({ number, revision, at, added, removed, current }) => [
      current ? '*' : '',
      `#${number}`,
      revision.slice(0, 12),
      new Date(at).toISOString().slice(0, 19).replace('T', ' '),
      `+${added} -${removed}`,
    ]),
  );
}
