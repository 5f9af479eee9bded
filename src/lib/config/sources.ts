import { editDistance, nearest } from './nearest.ts';
import { findByEnv, findSetting, type Setting, SETTINGS, TABLES, valueFromText } from './settings.ts';
import { formatKey, parseToml, type Place, type TomlDocument, type TomlEntry } from './toml.ts';

/** A value that was found somewhere, not checked yet. */
export interface Candidate {
  setting: Setting;
  value: unknown;
  origin: 'flag' | 'env' | 'file';
  where: string;
  /** Where the items of a list are, if that is known. */
  itemsWhere: string[];
}

/** What is wrong with a configuration, and where. */
export interface Problem {
  /** `file:line:column`, a variable or a flag. */
  where: string;
  /** Undefined when the text could not be read that far. */
  key?: string;
  message: string;
  allowed?: string;
}

export interface Found {
  candidates: Candidate[];
  problems: Problem[];
}

/** One line for a person. */
export function formatProblem({ where, key, message, allowed }: Problem): string {
  const subject = key === undefined ? where : `${where}: ${key}`;
  return `${subject}: ${message}${allowed === undefined ? '' : `; allowed: ${allowed}`}`;
}

/** The settings in the text of a file, and what is not one. */
export function fromFile(text: string, name: string): Found {
  const where = ({ line, column }: Place): string => `${name}:${line}:${column}`;
  const parsed = parseToml(text);
  if (!parsed.ok) return { candidates: [], problems: [{ where: where(parsed.at), message: parsed.message }] };
  const { document } = parsed;
  const misplaced = badHeaders(document, where);
  const found: Found = { candidates: [], problems: misplaced.problems };
  for (const entry of document.entries) {
    if (misplaced.nodes.has(entry.node.parent)) continue;
    const key = formatKey(entry.path);
    const setting = findSetting(key);
    if (setting !== undefined) {
      const { value, valueAt, itemsAt } = entry;
      found.candidates.push({ setting, value, origin: 'file', where: where(valueAt), itemsWhere: itemsAt.map(where) });
    } else if (!isEmptyTable(entry, key)) {
      found.problems.push({ where: where(entry.keyAt), key, ...unknownKey(key) });
    }
  }
  return found;
}

/** The settings in the environment, and variables that look like one by mistake. Empty ones count as not set. */
export function fromEnvironment(env: NodeJS.ProcessEnv): Found {
  const found: Found = { candidates: [], problems: [] };
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('MTP_') || name === 'MTP_HOME' || text === undefined || text === '') continue;
    const setting = findByEnv(name);
    if (setting === undefined) {
      const meant = mistyped(name);
      if (meant !== undefined) {
        found.problems.push({ where: name, message: `there is no such setting; did you mean ${meant}?` });
      }
      continue;
    }
    const value = valueFromText(setting, text);
    found.candidates.push({ setting, value, origin: 'env', where: name, itemsWhere: [] });
  }
  return found;
}

/** What to say of a key that is no setting. */
export function unknownKey(key: string): { message: string; allowed?: string } {
  if (TABLES.includes(key)) return { message: 'this is a table, not a value', allowed: `[${key}] and settings in it` };
  if (/^telegram\.dc\.[^.]+$/.test(key)) {
    return { message: 'there is no such DC', allowed: 'a number from 1 to 32767 as the name' };
  }
  const keys = SETTINGS.map((setting) => setting.key);
  // Without its table a key is far from any other by letters.
  const meant = keys.find((candidate) => candidate.endsWith(`.${key}`)) ?? nearest(key, keys);
  return { message: `there is no such setting${meant === undefined ? '' : `; did you mean ${meant}?`}` };
}

function badHeaders({ headers }: TomlDocument, where: (place: Place) => string) {
  const nodes = new Set<unknown>();
  const problems: Problem[] = [];
  for (const { path, node, at } of headers) {
    const key = formatKey(path);
    if (TABLES.includes(key) && node.kind === 'standard') continue;
    nodes.add(node);
    problems.push({ where: where(at), key, ...wrongHeader(key) });
  }
  return { nodes, problems };
}

function wrongHeader(key: string): { message: string; allowed?: string } {
  if (TABLES.includes(key)) return { message: 'this table stands once', allowed: `[${key}] in single brackets` };
  const setting = findSetting(key);
  if (setting !== undefined) return { message: 'this is a value, not a table', allowed: setting.allowed };
  const meant = nearest(key, TABLES);
  return { message: `there is no such table${meant === undefined ? '' : `; did you mean [${meant}]?`}` };
}

function isEmptyTable({ node }: TomlEntry, key: string): boolean {
  return node.value.type === 'TOMLInlineTable' && TABLES.includes(key);
}

/** Other programs may use names of their own, so only what is close to a setting or inside one of our tables counts. */
function mistyped(name: string): string | undefined {
  const names = SETTINGS.map((setting) => setting.env);
  const inTable = TABLES.some((table) => name.startsWith(`MTP_${table.replaceAll('.', '_').toUpperCase()}_`));
  return names.find((candidate) => editDistance(name, candidate) <= 2) ?? (inTable ? nearest(name, names) : undefined);
}
