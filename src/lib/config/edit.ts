import type { AST } from 'toml-eslint-parser';
import { formatKey, formatValue, keyNames, parseToml, type TomlDocument, type TomlEntry } from './toml.ts';

/**
 * The text of a TOML document with one key set, or unset where the value is undefined. Only the place concerned changes:
 * comments, order, quotes and line ends stay. A document that cannot be read comes back as it is, because whoever checks
 * it says better what is wrong with it.
 */
export function editToml(source: string, path: readonly string[], value: unknown): string {
  const parsed = parseToml(source);
  if (!parsed.ok) return source;
  const { document } = parsed;
  const mark = source.slice(0, source.length - document.text.length);
  const entry = document.entries.find((candidate) => sameKey(candidate.path, path));
  if (value === undefined) return mark + (entry === undefined ? document.text : remove(document, entry));
  return mark + (entry === undefined ? insert(document, path, value) : replace(document.text, entry, value));
}

function replace(text: string, { node }: TomlEntry, value: unknown): string {
  const [start, end] = node.value.range;
  return text.slice(0, start) + inQuotesOf(text.slice(start, end), value) + text.slice(end);
}

/** The value with single quotes where the old one had them and the new one can do with them. */
function inQuotesOf(old: string, value: unknown): string {
  const literal = old.startsWith("'") && typeof value === 'string' && !/['\p{Cc}]/u.test(value);
  return literal ? `'${value}'` : formatValue(value);
}

function remove(document: TomlDocument, { node }: TomlEntry): string {
  const { text } = document;
  if (node.parent.type === 'TOMLInlineTable') return removeInline(text, node.parent, node);
  const [start, end] = node.range;
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  return text.slice(0, lineStart) + text.slice(afterLine(text, end));
}

function removeInline(text: string, { body }: AST.TOMLInlineTable, node: AST.TOMLKeyValue): string {
  const index = body.indexOf(node);
  const [previous, next] = [body[index - 1], body[index + 1]];
  const from = previous === undefined ? node.range[0] : previous.range[1];
  const to = previous === undefined ? (next?.range[0] ?? node.range[1]) : node.range[1];
  return text.slice(0, from) + text.slice(to);
}

/** Where a new key goes: a table that has a header, one written inline, one made by dotted keys, or a new one. */
function insert(document: TomlDocument, path: readonly string[], value: unknown): string {
  const table = path.slice(0, -1);
  const header = document.headers.find((candidate) => sameKey(candidate.path, table));
  if (header !== undefined) return insertUnder(document, header.node, formatKey(path.slice(-1)), value);
  const inline = findInline(document, table);
  if (inline !== undefined) {
    return insertInline(document.text, inline.node, formatKey(path.slice(inline.path.length)), value);
  }
  const sibling = document.entries.findLast((candidate) => isInside(candidate, table));
  if (sibling === undefined) return appendTable(document.text, table, formatKey(path.slice(-1)), value);
  const depth = sibling.path.length - keyNames(sibling.node.key).length;
  return insertAfter(document.text, sibling.node, `${formatKey(path.slice(depth))} = ${formatValue(value)}`);
}

function isInside({ path, node }: TomlEntry, table: readonly string[]): boolean {
  const depth = path.length - keyNames(node.key).length;
  return node.parent.type !== 'TOMLInlineTable' && depth < table.length && sameKey(path.slice(0, -1), table);
}

function insertUnder({ text }: TomlDocument, table: AST.TOMLTable, key: string, value: unknown): string {
  const last = table.body.at(-1);
  const line = `${key} = ${formatValue(value)}`;
  if (last !== undefined) return insertAfter(text, last, line);
  return insertLine(text, afterLine(text, table.range[1]), line);
}

/** On the line below, indented alike. */
function insertAfter(text: string, { range }: AST.TOMLKeyValue, line: string): string {
  const lineStart = text.lastIndexOf('\n', range[0] - 1) + 1;
  return insertLine(text, afterLine(text, range[1]), text.slice(lineStart, range[0]) + line);
}

function insertLine(text: string, offset: number, line: string): string {
  const newline = newlineOf(text);
  const before = text.slice(0, offset);
  const gap = before === '' || before.endsWith('\n') ? '' : newline;
  return `${before}${gap}${line}${newline}${text.slice(offset)}`;
}

function insertInline(text: string, node: AST.TOMLInlineTable, key: string, value: unknown): string {
  const pair = `${key} = ${formatValue(value)}`;
  const last = node.body.at(-1);
  if (last === undefined) return `${text.slice(0, node.range[0])}{ ${pair} }${text.slice(node.range[1])}`;
  return `${text.slice(0, last.range[1])}, ${pair}${text.slice(last.range[1])}`;
}

function appendTable(text: string, table: readonly string[], key: string, value: unknown): string {
  const newline = newlineOf(text);
  const gap = text.trim() === '' ? '' : newline;
  return insertLine(
    insertLine(text, text.length, `${gap}[${formatKey(table)}]`),
    Infinity,
    `${key} = ${formatValue(value)}`,
  );
}

/** The inline table that holds, or by its being closed must hold, the settings of a table. */
function findInline({ root }: TomlDocument, table: readonly string[]) {
  const search = (
    nodes: readonly (AST.TOMLKeyValue | AST.TOMLTable)[],
    parent: string[],
  ): { path: string[]; node: AST.TOMLInlineTable } | undefined => {
    for (const node of nodes) {
      const path = [...parent, ...keyNames(node.key)];
      if (!sameKey(path, table.slice(0, path.length))) continue;
      const nested =
        node.type === 'TOMLTable' ? node.body : node.value.type === 'TOMLInlineTable' ? node.value.body : [];
      const found = search(nested, path);
      if (found !== undefined) return found;
      if (node.type === 'TOMLKeyValue' && node.value.type === 'TOMLInlineTable') return { path, node: node.value };
    }
    return undefined;
  };
  return search(root.body, []);
}

function afterLine(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  return newline === -1 ? text.length : newline + 1;
}

function newlineOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n';
}

function sameKey(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}
