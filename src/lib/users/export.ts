import { writeCsv } from '../csv/write.ts';
import { EXIT, MtpError } from '../errors.ts';
import { refusePresent, writeAtomic } from '../system/files.ts';
import { COLUMNS, keysOf, type SecretCells, secretCells, writeCells } from './columns.ts';
import { viewUser } from './describe.ts';
import type { UserFiles } from './files.ts';
import { listUsers, loadUsers } from './load.ts';
import type { User, UserRecord } from './user.ts';

export const EXPORT_FORMATS = ['csv', 'json'] as const;

export interface ExportOptions {
  /** A file that is not there yet. */
  file: string | undefined;
  format: (typeof EXPORT_FORMATS)[number];
  /** Only into a file. */
  withSecrets: boolean;
}

export interface Exported {
  users: number;
  /** Null where `text` is to be printed. */
  file: string | null;
  text: string | null;
}

/** All users into a new file that its owner alone can read, or as text. */
export async function exportUsers(files: UserFiles, { file, format, withSecrets }: ExportOptions): Promise<Exported> {
  if (file === undefined && withSecrets) {
    throw new MtpError('USAGE', 'secrets are written into a file only', {
      exit: EXIT.usage,
      hint: 'Name one, such as: mtp user export users.csv --with-secrets',
    });
  }
  if (file !== undefined) refusePresent(file);
  const { text, users } = withSecrets
    ? renderWithSecrets((await loadUsers(files)).users, format)
    : render(await listUsers(files), format);
  if (file === undefined) return { users, file: null, text };
  await writeAtomic(file, text);
  return { users, file, text: null };
}

function renderWithSecrets(users: User[], format: ExportOptions['format']): { text: string; users: number } {
  return { text: format === 'json' ? jsonOf(users, keysOf) : csvWithSecrets(users), users: users.length };
}

function render(users: UserRecord[], format: ExportOptions['format']): { text: string; users: number } {
  return { text: format === 'json' ? jsonOf(users) : csvOf(users), users: users.length };
}

/** Users with their keys as CSV, those that were replaced too: an import of it makes the same users. */
export function csvWithSecrets(users: User[]): string {
  return write(users, COLUMNS, secretCells);
}

function csvOf(users: UserRecord[]): string {
  const columns = COLUMNS.filter((column) => column !== 'secret' && column !== 'old_secrets');
  return write(users, columns, () => ({ secret: '', old_secrets: '' }));
}

function write<Record extends UserRecord>(
  users: Record[],
  columns: readonly (typeof COLUMNS)[number][],
  secrets: (user: Record) => SecretCells,
): string {
  const rows = users.map((user) => {
    const cells = writeCells(user, secrets(user));
    return columns.map((column) => cells[column]);
  });
  return writeCsv([[...columns], ...rows]);
}

function jsonOf<Record extends UserRecord>(users: Record[], keys?: (user: Record) => string[]): string {
  const now = Date.now();
  const views = users.map((user) => ({ ...viewUser(user, now), ...(keys && { keys: keys(user) }) }));
  return `${JSON.stringify(views, null, 2)}\n`;
}
