import { readFile } from 'node:fs/promises';
import * as prettier from 'prettier';
import { expect, it } from 'vitest';
import { SETTINGS, valueToText } from '../../../src/lib/config/settings.ts';

const PAGE = new URL('../../../docs/configuration.md', import.meta.url);

function settingsTable(): string {
  const rows = SETTINGS.map(({ key, default: value, unset, description, allowed, env }) => {
    const text = Array.isArray(value) && value.length === 0 ? 'none' : valueToText(value);
    const shown = value === undefined ? (unset ?? '') : text === 'none' ? text : `\`${text}\``;
    return `| \`${key}\` | ${shown} | ${description} Allowed: ${allowed}. | \`${env}\` |`;
  });
  return ['| setting | default | what it is | variable |', '|---|---|---|---|', ...rows].join('\n');
}

// To bring the page up to date: npx vitest run test/lib/config/reference.test.ts -u
it('the page on configuration lists the settings as they are', async () => {
  const page = await readFile(PAGE, 'utf8');
  const fresh = page.replace(
    /(<!-- settings -->\n)[^]*(<!-- \/settings -->)/,
    (_, start: string, end: string) => `${start}\n${settingsTable()}\n\n${end}`,
  );
  const formatted = await prettier.format(fresh, { parser: 'markdown', printWidth: 120 });
  await expect(formatted).toMatchFileSnapshot('../../../docs/configuration.md');
});
