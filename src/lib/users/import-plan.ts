import { unguard } from '../csv/write.ts';
import { parseCsv } from '../csv/parse.ts';
import { EXIT, MtpError } from '../errors.ts';
import { type Cells, type Column, COLUMNS, readCells, type Reading } from './columns.ts';
import { makeUser, makeUserSecret, type UserSources } from './make.ts';
import { asOldSecret } from './old-secrets.ts';
import { foldName, type User } from './user.ts';

/** A line of a file that cannot be imported, and why. */
export interface LineFault {
  line: number;
  fault: string;
  /** What it could be instead, one sentence. */
  hint?: string | undefined;
}

/** A user that a line describes. */
export interface Planned {
  line: number;
  user: User;
  /** Whether the line names the secrets, so that they are not fresh ones. */
  secretsGiven: boolean;
}

export interface ImportPlan {
  /** In the order of the file. */
  columns: Column[];
  users: Planned[];
  faults: LineFault[];
}

/** What a CSV text says, judged by itself: nobody is looked up. A file without a fit header is an error. */
export function planImport(text: string, file: string, reading: Reading, sources: UserSources): ImportPlan {
  const { rows, fault } = parseCsv(text);
  const [header, ...lines] = rows;
  const columns = readHeader(header?.fields.map((field) => field.trim().toLowerCase()) ?? [], file);
  const plan: ImportPlan = { columns, users: [], faults: [] };
  const seen = new Map<string, number>();
  for (const { line, fields } of lines) {
    try {
      const cells = toCells(columns, fields);
      const { keys, old, ...wish } = readCells(cells, reading);
      const user = makeUser(wish, sources);
      const secrets = [
        ...old.map((one) => asOldSecret(makeUserSecret(one.key, sources), one)),
        ...(keys?.map((key) => makeUserSecret(key, sources)) ?? user.secrets),
      ];
      const marks = [`name ${foldName(user.name)}`, ...secrets.map(({ key }) => `secret ${key}`)];
      refuseTwins(marks, line, seen);
      plan.users.push({ line, user: { ...user, secrets }, secretsGiven: keys !== undefined });
    } catch (error) {
      plan.faults.push({ line, ...inWords(error) });
    }
  }
  if (fault !== undefined) plan.faults.push(fault);
  return plan;
}

function readHeader(columns: string[], file: string): Column[] {
  const unknown = columns.find((name) => !COLUMNS.some((known) => known === name));
  const twice = columns.find((name, at) => columns.indexOf(name) !== at);
  const problem =
    unknown !== undefined
      ? `there is no column ${JSON.stringify(unknown.slice(0, 40))}`
      : twice !== undefined
        ? `the column ${twice} is there twice`
        : columns.includes('name')
          ? undefined
          : 'the column name is missing';
  if (problem === undefined) return columns as Column[];
  throw new MtpError('IMPORT_HEADER', `${file}, line 1: ${problem}`, {
    exit: EXIT.precondition,
    hint: `The first line names the columns, of these: ${COLUMNS.join(', ')}.`,
  });
}

function toCells(columns: string[], fields: string[]): Cells {
  if (fields.length !== columns.length) {
    throw new MtpError('IMPORT_LINE', `it has ${fields.length} fields, and there are ${columns.length} columns`);
  }
  const filled = columns.map((column, at) => [column, unguard(fields[at]?.trim() ?? '')]);
  return Object.fromEntries(filled.filter(([, text]) => text !== '')) as Cells;
}

function refuseTwins(marks: string[], line: number, seen: Map<string, number>): void {
  for (const mark of marks) {
    const before = seen.get(mark);
    if (before === undefined) continue;
    const what = mark.startsWith('name ') ? 'name' : 'secret';
    throw new MtpError('IMPORT_LINE', `the same ${what} as on line ${before}`);
  }
  for (const mark of marks) seen.set(mark, line);
}

/** Messages of our own say what is wrong without quoting a secret; anything else is a bug. */
function inWords(error: unknown): Omit<LineFault, 'line'> {
  if (!(error instanceof MtpError)) throw error;
  return { fault: error.message, hint: error.hint };
}
