import { type EnvEntry, parseEnv } from './parse.ts';

/**
 * The text of a `.env` file with a key set to a value and everything else as it was. Readers differ in which of two equal
 * keys they take, so every one of them is set; a key that is missing is added at the end.
 */
export function setEnvValue(text: string, key: string, value: string): string {
  const found = parseEnv(text).entries.filter((entry) => entry.key === key);
  if (found.length === 0) return append(text, `${key}=${write(value, '')}`);
  return found.reduceRight((result, entry) => {
    if (entry.value === value) return result;
    const rest = result.slice(entry.end);
    // Without the space the comment after an empty value would become a part of the new one.
    const gap = rest.startsWith('#') ? ' ' : '';
    return result.slice(0, entry.start) + write(value, entry.quote) + gap + rest;
  }, text);
}

/** The value in the wanted quotes, or in the nearest ones that can hold it. */
function write(value: string, wanted: EnvEntry['quote']): string {
  if (wanted === '' && /^[\w%+,./:=@-]*$/.test(value)) return value;
  if (wanted !== '"' && !/['\r\n]/.test(value)) return `'${value}'`;
  const escaped = value.replace(/["\\$`]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`);
  return `"${escaped.replaceAll('\r', String.raw`\r`)}"`;
}

function append(text: string, line: string): string {
  const newline = /\r?\n/.exec(text)?.[0] ?? '\n';
  const gap = text === '' || text === '\uFEFF' || text.endsWith('\n') ? '' : newline;
  return `${text}${gap}${line}${newline}`;
}
