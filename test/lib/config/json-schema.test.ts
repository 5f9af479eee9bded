import { Ajv2020 } from 'ajv/dist/2020.js';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { getStaticTOMLValue, parseTOML } from 'toml-eslint-parser';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../../src/lib/config/evaluate.ts';
import { configJsonSchema, writeConfigSchema } from '../../../src/lib/config/json-schema.ts';
import { SETTINGS } from '../../../src/lib/config/settings.ts';

const schema = configJsonSchema();
const validate = new Ajv2020({ allErrors: true }).compile(schema);

/** Where and by which rule the schema refuses a text; empty where it does not. */
function refusals(toml: string): string[] {
  validate(getStaticTOMLValue(parseTOML(toml)));
  return (validate.errors ?? []).map(({ instancePath, keyword }) => `${instancePath} ${keyword}`);
}

describe('the JSON Schema of the configuration', () => {
  test('accepts the file that the first run writes, every example in it included', async () => {
    const template = await readFile(path.resolve(import.meta.dirname, '../../../templates/config.toml'), 'utf8');
    const examples = template.replace(/^# (\w+ = .*?) *\{\{\w+\}\}$/gm, '$1');
    expect(examples).toMatch(/^port = 443$/m);
    expect(refusals(examples)).toEqual([]);
  });

  test('accepts all defaults, and what the program accepts', () => {
    const toml = [
      'listen.port = 8443',
      'protocol.modes = ["ee", "dd"]',
      'limits.per_source = "none"',
      'workers.count = "auto"',
      'telegram.dc.2 = ["149.154.167.51:443"]',
      'upstream.socks5 = "socks5://u:p@1.1.1.1:80"',
    ].join('\n');
    expect(evaluate({ file: { text: toml, name: 'x' } }).ok).toBe(true);
    expect(refusals(toml)).toEqual([]);
    const defaults = SETTINGS.filter((setting) => setting.default !== undefined);
    expect(refusals(defaults.map((one) => `${one.key} = ${JSON.stringify(one.default)}`).join('\n'))).toEqual([]);
  });

  test.each([
    ['listen.port = 70000', '/listen/port maximum'],
    ['listen.port = "443"', '/listen/port type'],
    ['listen.prot = 443', '/listen additionalProperties'],
    ['[listn]', ' additionalProperties'],
    ['protocol.modes = ["ff"]', '/protocol/modes/0 enum'],
    ['protocol.modes = []', '/protocol/modes minItems'],
    ['protocol.modes = ["ee", "ee"]', '/protocol/modes uniqueItems'],
    ['workers.count = 65', '/workers/count anyOf'],
    ['telegram.dc.two = ["1.2.3.4:443"]', '/telegram/dc propertyNames'],
    ['log.level = "loud"', '/log/level enum'],
  ])('refuses %s, as the program does', (toml, refusal) => {
    expect(refusals(toml)).toContain(refusal);
    expect(evaluate({ file: { text: toml, name: 'x' } }).ok).toBe(false);
  });

  test('is written over an earlier one, and over nothing else', async () => {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'schema-'));
    const file = path.join(dir, 'config.schema.json');
    for (let time = 0; time < 2; time++) expect(await writeConfigSchema(file)).toEqual(schema);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(schema);
    await writeFile(file, '[listen]\n');
    await expect(writeConfigSchema(file)).rejects.toThrow('is there already');
    expect(await readFile(file, 'utf8')).toBe('[listen]\n');
    await rm(dir, { recursive: true });
  });

  test('has every setting with what it is and its default', () => {
    for (const setting of SETTINGS) {
      const [table = '', name = ''] = setting.key.split('.');
      const entry = (schema as { properties: Record<string, { properties: Record<string, object> }> }).properties[table]
        ?.properties[name];
      expect(entry, setting.key).toMatchObject({ description: expect.stringContaining(setting.description) as string });
      if (setting.default !== undefined) expect(entry).toMatchObject({ default: setting.default });
    }
  });
});
