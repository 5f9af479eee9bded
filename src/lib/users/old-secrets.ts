import { EXIT, MtpError } from '../errors.ts';
import { parseSecret } from '../secret/secret.ts';
import type { SecretState, UserSecret } from './user.ts';
import { parseTime } from './wishes.ts';

/** A secret that was replaced, as a CSV file of users has it. Times are Unix ms. */
export interface OldSecret {
  /** 16 bytes. */
  key: Buffer;
  state: Exclude<SecretState, 'active'>;
  /** End of the grace; since when it drains; or until when a revoked one is remembered. */
  at: number;
  /** Networks that may use it at once while it retires; null is no limit. */
  networks: number | null;
}

const FORM = /^([0-9a-f]{32})\/(retiring|draining|revoked)\/([^/]{1,40})(?:\/(\d{1,6}))?$/;

/** `KEY/STATE/TIME`, and behind it for a retiring one that is limited `/NETWORKS`. */
export function writeOldSecret(secret: UserSecret): string {
  const { key, state, retiringUntil, tombstoneUntil, retireLimitNetworks } = secret;
  const at = new Date((state === 'revoked' ? tombstoneUntil : retiringUntil) ?? 0).toISOString();
  const networks = state === 'retiring' && retireLimitNetworks !== null ? `/${retireLimitNetworks}` : '';
  return `${key}/${state}/${at}${networks}`;
}

export function readOldSecret(text: string): OldSecret {
  const [, key = '', state, time = '', networks] = FORM.exec(text) ?? [];
  const at = parseTime(time);
  if (state === undefined || at === undefined) {
    throw new MtpError('USAGE', 'an old secret is not written as KEY/STATE/TIME', {
      exit: EXIT.usage,
      hint: 'Such as 32 hex digits, /retiring/ and a time in ISO 8601.',
    });
  }
  return {
    key: parseSecret(key).key,
    state: state as OldSecret['state'],
    at,
    networks: networks === undefined ? null : Number(networks),
  };
}

/** The same as a secret of a user; `fresh` is one that was just made with this key. */
export function asOldSecret(fresh: UserSecret, { state, at, networks }: OldSecret): UserSecret {
  return state === 'revoked'
    ? { ...fresh, state, revokedAt: fresh.createdAt, tombstoneUntil: at }
    : { ...fresh, state, retiringUntil: at, retireLimitNetworks: state === 'retiring' ? networks : null };
}
