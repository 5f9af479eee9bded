/** What an installation may be for (`deployment.env`). */
export const ENVIRONMENTS = ['production', 'staging', 'development'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** Why this level of the log may not stand in the settings; undefined where it may. */
export function unfitLevel(
  env: Environment,
  level: string,
): { message: string; params: { allowed: string } } | undefined {
  if (env !== 'production' || level !== 'debug') return undefined;
  return {
    message: '"debug" is for tests, and deployment.env says production (for half an hour: mtp log level debug)',
    params: { allowed: '"info", "warn" or "error"' },
  };
}
