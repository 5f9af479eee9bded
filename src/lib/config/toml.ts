import { type AST, getStaticTOMLValue, ParseError, parseTOML } from 'toml-eslint-parser';

/** A place in a file, both counted from 1. */
export interface Place {
  line: number;
  column: number;
}

/** One `key = value` of a document, wherever it stands. */
export interface TomlEntry {
  /** Full path from the root, tables included. */
  path: string[];
  value: unknown;
  node: AST.TOMLKeyValue;
  keyAt: Place;
  valueAt: Place;
  /** Where the items of a list are; empty for anything else. */
  itemsAt: Place[];
}

/** A `[table]` or `[[table]]` header. */
interface TomlHeader {
  path: string[];
  node: AST.TOMLTable;
  at: Place;
}

export interface TomlDocument {
  /** The text without a byte order mark: what the ranges of the nodes count in. */
  text: string;
  root: AST.TOMLTopLevelTable;
  entries: TomlEntry[];
  headers: TomlHeader[];
}

export type TomlResult = { ok: true; document: TomlDocument } | { ok: false; at: Place; message: string };

/** Read a TOML 1.0 document with the place of everything in it. Never throws on bad input. */
export function parseToml(source: string): TomlResult {
  const text = source.replace(/^\uFEFF/, '');
  try {
    const [root] = parseTOML(text, { tomlVersion: '1.0.0' }).body;
    const headers = root.body
      .filter((node) => node.type === 'TOMLTable')
      .map((node) => ({ node, path: keyNames(node.key), at: place(node.key.loc.start) }));
    const entries = root.body.flatMap((node) =>
      node.type === 'TOMLTable'
        ? node.body.flatMap((child) => entriesOf(child, keyNames(node.key)))
        : entriesOf(node, []),
    );
    return { ok: true, document: { text, root, entries, headers } };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const at = { line: error.lineNumber, column: error.column + 1 };
    return { ok: false, at, message: firstLower(error.message) };
  }
}

/** The names of a key in order: `a."b c"` gives two. */
export function keyNames(key: AST.TOMLKey): string[] {
  return key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value));
}

/** A path as TOML writes it: names that are not plain are quoted. */
export function formatKey(path: readonly string[]): string {
  return path.map((name) => (/^[A-Za-z0-9_-]+$/.test(name) ? name : formatValue(name))).join('.');
}

/** A value as TOML writes it. */
export function formatValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatValue).join(', ')}]`;
  if (typeof value !== 'string') return String(value);
  // JSON and TOML differ in one character only: TOML wants DEL escaped.
  return JSON.stringify(value).replaceAll('\u007F', String.raw`\u007F`);
}

function entriesOf(node: AST.TOMLKeyValue, parent: string[]): TomlEntry[] {
  const path = [...parent, ...keyNames(node.key)];
  const { value } = node;
  if (value.type === 'TOMLInlineTable' && value.body.length > 0) {
    return value.body.flatMap((child) => entriesOf(child, path));
  }
  const itemsAt = value.type === 'TOMLArray' ? value.elements.map((item) => place(item.loc.start)) : [];
  return [
    {
      path,
      node,
      value: getStaticTOMLValue(value),
      keyAt: place(node.key.loc.start),
      valueAt: place(value.loc.start),
      itemsAt,
    },
  ];
}

function place({ line, column }: AST.Position): Place {
  return { line, column: column + 1 };
}

function firstLower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
