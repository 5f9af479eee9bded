import type { Config, Origin } from './evaluate.ts';
import { maskSecrets } from './mask.ts';
import { findSetting, valueToText } from './settings.ts';

export interface ListedSetting {
  key: string;
  /** As it would be written in the file, passwords masked; null where nothing is set. */
  value: unknown;
  origin: Origin['origin'];
  /** Flag, variable or `file:line:column`; null for a default. */
  where: string | null;
}

/** Every setting in force with where it comes from. */
export function listSettings({ origins }: Config): ListedSetting[] {
  return Object.entries(origins).map(([key, { origin, where, value }]) => ({
    key,
    value: typeof value === 'string' ? maskSecrets(value) : (value ?? null),
    origin,
    where: where === '' ? null : where,
  }));
}

/** The cells of one setting: key, value, origin. */
export function settingRow({ key, value, origin, where }: ListedSetting): string[] {
  const empty = Array.isArray(value) && value.length === 0;
  const shown = value === null ? `(${findSetting(key)?.unset ?? 'none'})` : empty ? '(none)' : valueToText(value);
  return [key, shown, where === null ? origin : `${origin} ${where}`];
}
