import { isDeepStrictEqual } from 'node:util';
import { setEnvValue } from '../env-file/edit.ts';
import type { Config } from './evaluate.ts';
import { envRule } from './import-rules.ts';
import { findSetting, valueToText } from './settings.ts';

const orZero = (value: unknown): string => (typeof value === 'number' ? String(value) : '0');

/** How keys of mtg would say a setting. It counts only where reading it back gives that very value. */
const FOREIGN: Record<string, { key: string; write: (value: unknown) => string }[]> = {
  'listen.host': [{ key: 'MTG_BIND_IP', write: valueToText }],
  'listen.port': [{ key: 'MTG_PORT', write: valueToText }],
  'protocol.modes': [
    { key: 'MTG_SECURE_ONLY', write: () => 'true' },
    { key: 'MTG_SECURE_ONLY', write: () => 'false' },
  ],
  'cover.domain': [{ key: 'MTG_DOMAIN', write: valueToText }],
  'limits.connections': [{ key: 'MTG_MAX_CONNECTIONS', write: orZero }],
  'limits.per_source': [{ key: 'MTG_MAX_CONNECTIONS_PER_IP', write: orZero }],
  'telegram.prefer': [{ key: 'MTG_DISABLE_IPV6', write: () => 'true' }],
  'upstream.socks5': [{ key: 'MTG_UPSTREAM_PROXY', write: valueToText }],
  'link.server': [{ key: 'SERVER_HOST', write: valueToText }],
  'link.port': [{ key: 'SERVER_PORT', write: valueToText }],
  'workers.count': [{ key: 'MTG_WORKERS', write: orZero }],
  'log.level': [{ key: 'MTG_LOG_LEVEL', write: valueToText }],
};

interface EnvLine {
  key: string;
  text: string;
  /** Settings that the line says. */
  says: string[];
}

export interface EnvText {
  text: string;
  /** Number of settings in it. */
  settings: number;
  /** Settings with a password, which are left out. */
  withheld: string[];
}

/** The settings that do not come from a default as the `.env` file that `planImport` reads, MTG_* where mtg has the key. */
export function envTextOf({ origins }: Pick<Config, 'origins'>, { withSecrets }: { withSecrets: boolean }): EnvText {
  const set = new Map(
    Object.entries(origins).flatMap(([key, from]) => (from.origin === 'default' ? [] : [[key, from.value]])),
  );
  const said = new Set<string>();
  const withheld: string[] = [];
  let text = '';
  for (const [setting, value] of set) {
    if (said.has(setting) || valueToText(value) === '') continue;
    if (!withSecrets && findSetting(setting)?.sensitive === true && valueToText(value).includes('@')) {
      withheld.push(setting);
      continue;
    }
    const line = foreignLine(setting, value, set) ?? ownLine(setting, value);
    for (const one of line.says) said.add(one);
    text = setEnvValue(text, line.key, line.text);
  }
  return { text, settings: said.size, withheld };
}

function foreignLine(setting: string, value: unknown, set: ReadonlyMap<string, unknown>): EnvLine | undefined {
  for (const { key, write } of FOREIGN[setting] ?? []) {
    const text = write(value);
    const read = envRule(key)?.(text, new Map());
    if (typeof read !== 'object') continue;
    const says = Object.keys(read);
    if (says.every((one) => isDeepStrictEqual(read[one], set.get(one)))) return { key, text, says };
  }
  return undefined;
}

function ownLine(setting: string, value: unknown): EnvLine {
  return { key: findSetting(setting)?.env ?? '', text: valueToText(value), says: [setting] };
}
