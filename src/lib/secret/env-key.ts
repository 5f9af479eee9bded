import { usage } from './make.ts';

/** Where secrets are kept in `.env` files: by mtg, by us, by many a compose file. */
export const SECRET_KEYS = ['MTG_SECRET', 'MTP_SECRET', 'SECRET'];
const FALLBACK = 'MTP_SECRET';

/** The key of an env file that holds the secret: the first known one among its keys, else the one to add. */
export function chooseEnvKey(present: string[]): string {
  return SECRET_KEYS.find((key) => present.includes(key)) ?? FALLBACK;
}

/** Refuse what no shell takes as the name of a variable. */
export function assertEnvKey(key: string): void {
  if (/^[A-Za-z_]\w*$/.test(key)) return;
  throw usage(`${JSON.stringify(key.slice(0, 80))} cannot be a key: letters, digits and _ only, no digit first`);
}
