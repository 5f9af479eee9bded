import { EXIT, MtpError } from '../errors.ts';
import { assertCoverDomain, DOMAIN_MAX } from './domain.ts';

export type SecretMode = 'plain' | 'dd' | 'ee';

/** The 16 key bytes and how a client opens its connection with them (protocol.md §1.1). */
export type Secret = { mode: 'plain' | 'dd'; key: Buffer } | { mode: 'ee'; key: Buffer; domain: string };

export const KEY_BYTES = 16;
const DD = 0xdd;
const EE = 0xee;
const FORMS =
  'A secret is 32 hex digits, dd and 32 hex digits, or ee, 32 hex digits and a domain in hex; or that in base64.';

/** A secret from what a person pastes: hex, then base64url, then plain base64 (protocol.md §1.2). */
export function parseSecret(text: string): Secret {
  return secretFromBytes(decodeText(text.trim()));
}

/** A secret from its binary form, valid where TDLib finds it valid (protocol.md §1.1). */
export function secretFromBytes(bytes: Buffer): Secret {
  if (bytes.length < KEY_BYTES) throw invalid(`it holds ${bytes.length} bytes, and 16 are the least`);
  if (bytes.length === KEY_BYTES) return { mode: 'plain', key: bytes };
  const key = bytes.subarray(1, 1 + KEY_BYTES);
  const rest = bytes.subarray(1 + KEY_BYTES);
  if (bytes[0] === DD) {
    if (rest.length > 0) throw invalid('a dd secret ends after its 32 hex digits; only ee takes a domain');
    if (key.length < KEY_BYTES) throw invalid('a dd secret needs 16 bytes after dd');
    return { mode: 'dd', key };
  }
  if (bytes[0] === EE) {
    if (rest.length === 0) throw invalid('an ee secret needs a domain after the 32 hex digits');
    return { mode: 'ee', key, domain: readDomain(rest) };
  }
  throw invalid(`it holds ${bytes.length} bytes and starts with neither dd nor ee`);
}

/** The secret in lowercase hex, the one form that every client reads (protocol.md §1.2). */
export function formatSecret(secret: Secret): string {
  const key = secret.key.toString('hex');
  if (secret.mode === 'ee') return `ee${key}${Buffer.from(secret.domain, 'latin1').toString('hex')}`;
  return secret.mode === 'dd' ? `dd${key}` : key;
}

/** A secret with a fresh key; `random` gives that many bytes from a cryptographic source. `domain` is for ee only. */
export function generateSecret(mode: SecretMode, domain: string, random: (bytes: number) => Buffer): Secret {
  return keyedSecret(mode, random(KEY_BYTES), domain);
}

/** A key in one of its modes; `domain` is used by ee only and must then be a name that a cover can have. */
export function keyedSecret(mode: SecretMode, key: Buffer, domain: string): Secret {
  if (key.length !== KEY_BYTES) throw invalid(`its key has ${key.length} bytes instead of 16`);
  if (mode !== 'ee') return { mode, key };
  assertCoverDomain(domain);
  return { mode, key, domain };
}

function decodeText(text: string): Buffer {
  if (text === '') throw invalid('it is empty');
  const hex = /^[0-9a-f]+$/i.test(text);
  if (hex && text.length >= 2 * KEY_BYTES && text.length % 2 === 0) return Buffer.from(text, 'hex');
  // Base64 of the shortest secrets, 22 and 23 characters, may look like hex; longer hex has lost or gained a digit.
  if (hex && text.length > 23) throw wrongDigits(text.length);
  const body = text.replace(/={1,2}$/, '');
  const base64 = /^[\w-]+$/.test(body) || /^[A-Za-z0-9+/]+$/.test(body);
  // Six bits a character: 4n + 1 characters leave a remainder that no byte explains.
  if (base64 && body.length >= 22 && body.length % 4 !== 1) return Buffer.from(body, 'base64url');
  if (hex) throw wrongDigits(text.length);
  throw invalid(
    base64 ? `its ${body.length} characters are neither hex nor whole base64` : 'it is neither hex nor base64',
  );
}

function readDomain(bytes: Buffer): string {
  if (bytes.length > DOMAIN_MAX) throw invalid(`its domain has ${bytes.length} bytes; ${DOMAIN_MAX} are the most`);
  const domain = bytes.toString('latin1');
  if (!/^[\w.-]+$/.test(domain)) {
    throw invalid('its domain has characters that no host name has; write an international name as punycode (xn--…)');
  }
  return domain;
}

function wrongDigits(count: number): MtpError {
  return invalid(`it has ${count} hex digits; there must be 32 or more and an even number`);
}

/** Never quotes the text: whatever was meant as a secret stays out of messages. */
function invalid(why: string): MtpError {
  return new MtpError('SECRET_INVALID', `this is not a secret: ${why}`, { exit: EXIT.usage, hint: FORMS });
}
