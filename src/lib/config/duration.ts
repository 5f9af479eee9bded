const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
type Unit = keyof typeof UNITS;

/** As many milliseconds as can be written as such. */
const LONGEST = 1e12;

/** Milliseconds of a duration such as `500ms`, `30s`, `5m` or `2h`; undefined when it is not one, or longer than 30 years. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,12})(ms|s|m|h)$/.exec(text);
  if (match === null) return undefined;
  const ms = Number(match[1]) * UNITS[match[2] as Unit];
  return Number.isSafeInteger(ms) && ms < LONGEST ? ms : undefined;
}

const SPAN_UNITS = { s: UNITS.s, m: UNITS.m, h: UNITS.h, d: 24 * UNITS.h, w: 7 * 24 * UNITS.h } as const;

/** Milliseconds of a span of a person's time such as `90m`, `12h`, `7d` or `2w`; undefined when it is none, or too long. */
export function parseSpan(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,8})([smhdw])$/.exec(text) ?? [];
  if (count === undefined) return undefined;
  const ms = Number(count) * SPAN_UNITS[unit as keyof typeof SPAN_UNITS];
  return ms < LONGEST ? ms : undefined;
}

/** The shortest way to write whole milliseconds as a duration. */
export function formatDuration(ms: number): string {
  const unit = (['h', 'm', 's'] as const).find((name) => ms > 0 && ms % UNITS[name] === 0);
  if (unit === undefined) return ms === 0 ? '0s' : `${ms}ms`;
  return `${ms / UNITS[unit]}${unit}`;
}
