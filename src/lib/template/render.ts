/** Values of a template by name; null leaves out the lines that need it. */
export type TemplateValues = Record<string, string | number | null>;

const PLACEHOLDER = /\{\{(\w+)\}\}/g;

/** Fill `{{name}}` in, line by line. A name without a value is a mistake of ours. */
export function renderTemplate(template: string, values: TemplateValues): string {
  const lines = template.split('\n').filter((line) => namesIn(line).every((name) => valueOf(name, values) !== null));
  return lines.map((line) => line.replace(PLACEHOLDER, (_, name: string) => String(valueOf(name, values)))).join('\n');
}

function namesIn(line: string): string[] {
  return [...line.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
}

function valueOf(name: string, values: TemplateValues): string | number | null {
  const value = values[name];
  if (value === undefined) throw new Error(`the template needs a value for ${name}`);
  return value;
}
