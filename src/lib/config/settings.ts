import { z } from '../system/zod.ts';
import { type About, about, tables } from './schema.ts';

/** A setting as text and files name it. */
export interface Setting extends About {
  /** Dotted, such as `listen.port`; `telegram.dc.N` stands for one key a DC. */
  key: string;
  /** As it would be written in the file; undefined where `unset` says what applies. */
  default: unknown;
  /** Variable of the environment. */
  env: string;
}

const DC_TABLE = 'telegram.dc';
const DC_NUMBER = /^[1-9]\d{0,4}$/;
const HIGHEST_DC = 32_767;

/** All settings, in the order of the documentation. */
export const SETTINGS: readonly Setting[] = Object.entries(tables).flatMap(([table, { shape }]) =>
  Object.entries<z.ZodType>(shape).map(([name, schema]) => {
    const facts = about.get(schema);
    if (facts === undefined) throw new Error(`${table}.${name} is not described`);
    const key = `${table}.${name}`;
    if (key === DC_TABLE) return describe(`${key}.N`, facts, undefined);
    return describe(key, facts, schema instanceof z.ZodPrefault ? schema.def.defaultValue : undefined);
  }),
);

/** Dotted names of the tables of the file. */
export const TABLES: readonly string[] = [...Object.keys(tables), DC_TABLE];

const BY_KEY = new Map(SETTINGS.map((setting) => [setting.key, setting]));
const BY_ENV = new Map(SETTINGS.map((setting) => [setting.env, setting]));

/** The setting of a dotted key; for `telegram.dc.2` one of that very key. Undefined when there is none. */
export function findSetting(key: string): Setting | undefined {
  return ofDc(key, `${DC_TABLE}.`, 'key') ?? exact(BY_KEY, key);
}

/** The setting that a variable of the environment gives; undefined when there is none. */
export function findByEnv(name: string): Setting | undefined {
  return ofDc(name, `${envName(DC_TABLE)}_`, 'env') ?? exact(BY_ENV, name);
}

/** Text from a variable or an argument as the file would hold it. Lists are separated by commas. */
export function valueFromText({ input }: Setting, text: string): unknown {
  switch (input) {
    case 'number':
      return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'list':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    case 'text':
      return text;
  }
}

/** A value of the file as `valueFromText` reads it; nothing for a value that is not set. */
export function valueToText(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function ofDc(name: string, prefix: string, field: 'key' | 'env'): Setting | undefined {
  const number = name.slice(prefix.length);
  if (!name.startsWith(prefix) || !DC_NUMBER.test(number) || Number(number) > HIGHEST_DC) return undefined;
  const template = (field === 'key' ? BY_KEY : BY_ENV).get(`${prefix}N`);
  return template === undefined ? undefined : describe(`${DC_TABLE}.${number}`, template, undefined);
}

function exact(index: Map<string, Setting>, name: string): Setting | undefined {
  const setting = index.get(name);
  return setting?.key === `${DC_TABLE}.N` ? undefined : setting;
}

function describe(key: string, facts: About, fallback: unknown): Setting {
  return { ...facts, key, default: fallback, env: envName(key) };
}

function envName(key: string): string {
  return `MTP_${key.replaceAll('.', '_').toUpperCase()}`;
}
