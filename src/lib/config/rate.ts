const SECONDS = { second: 1, minute: 60, hour: 3600 } as const;

/** So many in a unit of time, as firewalls count them. */
export interface Rate {
  count: number;
  per: keyof typeof SECONDS;
}

/** A rate such as `25/minute`; undefined when it is none, or more than 10,000 in its unit. */
export function parseRate(text: string): Rate | undefined {
  const [, digits = '', per] = /^(\d{1,5})\/(second|minute|hour)$/.exec(text) ?? [];
  const count = Number(digits);
  return per !== undefined && count >= 1 && count <= 10_000 ? { count, per: per as Rate['per'] } : undefined;
}

export function formatRate({ count, per }: Rate): string {
  return `${count}/${per}`;
}

/** Seconds that a rate takes for so many. */
export function secondsFor(many: number, { count, per }: Rate): number {
  return Math.ceil((many * SECONDS[per]) / count);
}
