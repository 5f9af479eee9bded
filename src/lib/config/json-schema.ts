import { refusePresent, writeAtomic } from '../system/files.ts';
import { z } from '../system/zod.ts';
import { readText } from './read-text.ts';
import { about, tables } from './schema.ts';

/** What editors read: https://json-schema.org/draft/2020-12. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

const READABLE_BY_ALL = 0o644;
const TITLE = 'Configuration of mtp';
const DC_NUMBER = '^[1-9][0-9]{0,4}$';

/**
 * The configuration file as JSON Schema. It knows keys, kinds, ranges and words; what a text has to be like is in the
 * description only, and `mtp config test` checks it.
 */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(z.strictObject(tables).partial(), {
    target: 'draft-2020-12',
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const facts = about.get(zodSchema);
      if (facts === undefined) return;
      const { description, allowed, unset } = facts;
      const otherwise = unset === undefined ? '' : ` Without it: ${unset}.`;
      jsonSchema.description = `${description} Allowed: ${allowed}.${otherwise}`;
      // A list that names something twice is refused.
      if (jsonSchema.type === 'array') jsonSchema.uniqueItems = true;
      if (jsonSchema.type === 'object') jsonSchema.propertyNames = { pattern: DC_NUMBER };
    },
  });
  return { title: TITLE, ...schema };
}

/** Write the schema to a file that all may read, over an earlier one but over nothing else. */
export async function writeConfigSchema(file: string): Promise<JsonSchema> {
  const schema = configJsonSchema();
  const present = await readText(file);
  if (present?.startsWith(`{\n  "title": "${TITLE}"`) !== true) refusePresent(file);
  await writeAtomic(file, `${JSON.stringify(schema, null, 2)}\n`, READABLE_BY_ALL);
  return schema;
}
