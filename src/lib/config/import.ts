import { parseEnv } from '../env-file/parse.ts';
import { EXIT, MtpError } from '../errors.ts';
import type { ConfigEdit } from './change.ts';
import { missing } from './check.ts';
import { envRule, type Rule, SECRET_NOTE, TOML_RULES } from './import-rules.ts';
import { readText } from './read-text.ts';
import { valueToText } from './settings.ts';
import { formatKey, parseToml } from './toml.ts';

/** Something of the foreign file that an operator has to know of. */
export interface ImportNote {
  line: number;
  key: string;
  message: string;
}

export interface ImportPlan {
  file: string;
  /** In the order of the file; of two for one setting the last counts. */
  edits: ConfigEdit[];
  /** Secrets: known, but imported otherwise. */
  secrets: ImportNote[];
  /** Known keys that have no counterpart here. */
  dropped: ImportNote[];
  /** Lines that are not understood. */
  warnings: ImportNote[];
}

interface ForeignKey {
  line: number;
  key: string;
  value: string;
}

/** What the TOML file of mtg (by its name), or a `.env` file with `MTG_*` or `MTP_*` keys, means in our settings. Writes nothing. */
export async function planImport(file: string): Promise<ImportPlan> {
  const text = await readText(file);
  if (text === undefined) throw missing(file);
  const plan: ImportPlan = { file, edits: [], secrets: [], dropped: [], warnings: [] };
  if (file.endsWith('.toml')) {
    translate(readToml(file, text), (key) => (Object.hasOwn(TOML_RULES, key) ? TOML_RULES[key] : undefined), plan);
  } else translate(readEnv(text, plan), envRule, plan);
  return plan;
}

function translate(keys: ForeignKey[], ruleOf: (key: string) => Rule | undefined, plan: ImportPlan): void {
  const all = new Map(keys.map(({ key, value }) => [key, value]));
  const edits = new Map<string, ConfigEdit>();
  for (const { line, key, value } of keys) {
    const rule = ruleOf(key);
    if (rule === undefined) {
      plan.warnings.push({ line, key, message: 'not known, left out' });
      continue;
    }
    if (value === '') continue;
    const isSecret = /secret$/i.test(key);
    const result = rule(value, all);
    if (isSecret) plan.secrets.push({ line, key, message: SECRET_NOTE });
    if (result === undefined) plan.warnings.push({ line, key, message: 'its value is not understood, left out' });
    else if (typeof result === 'string') {
      if (!isSecret) plan.dropped.push({ line, key, message: result });
    } else {
      for (const [setting, wanted] of Object.entries(result)) {
        // An explicit domain counts before the one inside a secret, wherever they stand.
        if (isSecret && edits.has(setting)) continue;
        edits.set(setting, { key: setting, value: wanted });
      }
    }
  }
  plan.edits = [...edits.values()];
}

function readEnv(text: string, plan: ImportPlan): ForeignKey[] {
  const { entries, oddities } = parseEnv(text);
  plan.warnings.push(...oddities.map(({ line }) => ({ line, key: '', message: 'not understood, left out' })));
  return entries;
}

function readToml(file: string, text: string): ForeignKey[] {
  const parsed = parseToml(text);
  if (!parsed.ok) {
    const { line, column } = parsed.at;
    throw new MtpError('IMPORT_SYNTAX', `${file}:${line}:${column}: ${parsed.message}`, {
      exit: EXIT.precondition,
      hint: 'Correct it there; nothing was imported.',
    });
  }
  return parsed.document.entries.map(({ path, value, keyAt }) => ({
    line: keyAt.line,
    key: formatKey(path),
    value: valueToText(value),
  }));
}
