import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { configJsonSchema, type JsonSchema, writeConfigSchema } from '../../lib/config/json-schema.ts';

export default class ConfigSchema extends BaseCommand {
  static override summary = 'Print the JSON Schema of the configuration file, for editors.';
  static override description =
    'With "#:schema FILE" as the first line of config.toml, editors that use Taplo complete settings and mark mistakes.';

  static override flags = {
    out: Flags.string({ helpValue: 'FILE', summary: 'Write it there, over an earlier one.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --out config.schema.json',
  ];

  async run(): Promise<JsonSchema> {
    const { flags } = await this.parse(ConfigSchema);
    if (flags.out !== undefined) {
      const written = await writeConfigSchema(flags.out);
      this.log(`Wrote ${flags.out}.`);
      return written;
    }
    const schema = configJsonSchema();
    this.log('%s', JSON.stringify(schema, null, 2));
    return schema;
  }
}
