import type { z } from 'zod';
import { maskSecrets } from './mask.ts';
import { type Settings, settingsSchema, tables } from './schema.ts';
import { findSetting, type Setting, SETTINGS } from './settings.ts';
import { type Candidate, fromEnvironment, fromFile, type Problem } from './sources.ts';

/** A value that the command line gives. */
export interface FlagValue {
  key: string;
  value: unknown;
  /** As the operator types it: `--port`. */
  flag: string;
}

/** Everything that settings come from. */
export interface ConfigSources {
  flags?: readonly FlagValue[];
  env?: NodeJS.ProcessEnv;
  /** Text of the file, and the name to call it by; none when there is no file. */
  file?: { text: string; name: string } | undefined;
}

export interface Origin {
  origin: 'flag' | 'env' | 'file' | 'default';
  /** The flag, the variable or `file:line:column`; empty for a default. */
  where: string;
  /** The value as it would be written in the file; undefined when there is none. */
  value: unknown;
}

export interface Config {
  settings: Settings;
  /** By dotted key, in the order of the documentation. */
  origins: Record<string, Origin>;
}

export type Evaluation = { ok: true; config: Config } | { ok: false; problems: Problem[] };

/** Merge flags over environment over file over defaults and check the result. All problems are found in one pass. */
export function evaluate({ flags = [], env = {}, file }: ConfigSources): Evaluation {
  const written = file === undefined ? { candidates: [], problems: [] } : fromFile(file.text, file.name);
  const variables = fromEnvironment(env);
  const chosen = new Map<string, Candidate>();
  for (const candidate of [...written.candidates, ...variables.candidates, ...flags.map(fromFlag)]) {
    chosen.set(candidate.setting.key, candidate);
  }
  const result = settingsSchema.safeParse(nest(chosen.values()));
  const problems = [...written.problems, ...variables.problems, ...complaints(result.error?.issues ?? [], chosen)];
  if (!result.success || problems.length > 0) return { ok: false, problems: problems.sort(byPlace) };
  return { ok: true, config: { settings: result.data, origins: originsOf(chosen) } };
}

const { compare } = new Intl.Collator('en', { numeric: true });

/** From the top of the file down: numbers in `file:line:column` count as numbers. */
function byPlace(a: Problem, b: Problem): number {
  return compare(a.where, b.where);
}

function fromFlag({ key, value, flag }: FlagValue): Candidate {
  const setting = findSetting(key);
  if (setting === undefined) throw new Error(`no setting ${key}`);
  return { setting, value, origin: 'flag', where: flag, itemsWhere: [] };
}

/** Settings by table as the schema takes them: every table is there. */
function nest(candidates: Iterable<Candidate>): Record<string, Record<string, unknown>> {
  const nested: Record<string, Record<string, unknown>> = {};
  for (const table of Object.keys(tables)) nested[table] = {};
  for (const { setting, value } of candidates) {
    const [table = '', name = '', dc] = setting.key.split('.');
    const target = nested[table];
    if (target === undefined) continue;
    if (dc === undefined) target[name] = value;
    else target[name] = { ...(target[name] as object | undefined), [dc]: value };
  }
  return nested;
}

function complaints(issues: z.core.$ZodIssue[], chosen: Map<string, Candidate>): Problem[] {
  const seen = new Set<string>();
  return issues.flatMap((issue) => {
    const path = issue.path.map(String);
    const candidate = chosen.get(path.slice(0, 3).join('.')) ?? chosen.get(path.slice(0, 2).join('.'));
    if (candidate === undefined) throw new Error(`the default of ${path.join('.')} is not allowed: ${issue.message}`);
    const { setting } = candidate;
    const item = Array.isArray(candidate.value) ? issue.path[setting.key.split('.').length] : undefined;
    const where = (typeof item === 'number' ? candidate.itemsWhere[item] : undefined) ?? candidate.where;
    const value: unknown = typeof item === 'number' ? (candidate.value as unknown[])[item] : candidate.value;
    const message = issue.code === 'custom' ? issue.message : reject(setting, value);
    const at = `${where} ${setting.key} ${message}`;
    if (seen.has(at)) return [];
    seen.add(at);
    const allowed: unknown = issue.code === 'custom' ? issue.params?.allowed : undefined;
    return [{ where, key: setting.key, message, allowed: typeof allowed === 'string' ? allowed : setting.allowed }];
  });
}

const LONGEST_SHOWN = 60;

function reject(setting: Setting, value: unknown): string {
  if (setting.sensitive === true) return 'the value is not allowed';
  const shown = maskSecrets(JSON.stringify(value));
  if (typeof value === 'string' && setting.input !== 'text' && /^(-?\d+|true|false)$/.test(value)) {
    return `${shown} must not be in quotes`;
  }
  return shown.length > LONGEST_SHOWN ? 'the value is not allowed' : `${shown} is not allowed`;
}

function originsOf(chosen: Map<string, Candidate>): Record<string, Origin> {
  const dcs = [...chosen.values()].map(({ setting }) => setting).filter(({ key }) => key.startsWith('telegram.dc.'));
  const listed = SETTINGS.flatMap((setting) => (setting.key === 'telegram.dc.N' ? dcs : [setting]));
  return Object.fromEntries(
    listed.map((setting): [string, Origin] => {
      const candidate = chosen.get(setting.key);
      if (candidate === undefined) return [setting.key, { origin: 'default', where: '', value: setting.default }];
      const { origin, where, value } = candidate;
      return [setting.key, { origin, where, value }];
    }),
  );
}
