import { readFile } from 'node:fs/promises';
import { packageUrl } from '../system/module-url.ts';
import { formatValue } from './toml.ts';

/** What the first configuration file is made from; what is undefined stays a comment. */
export interface TemplateValues {
  port?: number | undefined;
  domain?: string | undefined;
  server?: string | undefined;
}

const FILE = packageUrl('templates/config.toml');

/** The commented configuration file that the first run writes. */
export async function renderConfigTemplate(values: TemplateValues): Promise<string> {
  const template = await readFile(FILE, 'utf8');
  return template.replace(
    /^# (\w+ = )(.*?) *\{\{(\w+)\}\}$/gm,
    (_, assignment: string, example: string, name: string) => {
      const value = values[name as keyof TemplateValues];
      return value === undefined ? `# ${assignment}${example}` : assignment + formatValue(value);
    },
  );
}
