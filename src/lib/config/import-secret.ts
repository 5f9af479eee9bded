import { isHostName } from './address.ts';

const KEY_BYTES = 16;

/** The site that an ee secret names, in hex or base64 as mtg writes it; undefined for any other secret. */
export function domainOfSecret(text: string): string | undefined {
  const hex = /^([0-9a-f]{2})+$/i.test(text);
  const bytes = Buffer.from(text, hex ? 'hex' : 'base64url');
  if (bytes[0] !== 0xee || bytes.length <= 1 + KEY_BYTES) return undefined;
  const domain = bytes.toString('latin1', 1 + KEY_BYTES);
  return isHostName(domain) ? domain : undefined;
}
