import { ipFamily } from '../protocol/ip-address.ts';
import { EXIT, MtpError } from '../errors.ts';

/** TDLib refuses a longer domain in a secret (protocol.md §1.1). */
export const DOMAIN_MAX = 182;
/** Desktop needs 21 bytes of secret, that is 4 of domain (protocol.md §1.1). */
const DOMAIN_MIN = 4;
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;

/** Refuse what no client takes as the domain of an ee secret: addresses, ports, schemes, names in another script. */
export function assertCoverDomain(domain: string): void {
  const why = coverDomainFault(domain);
  if (why === undefined) return;
  throw new MtpError('DOMAIN_INVALID', `"${domain.slice(0, 80)}" cannot be the domain of a secret: ${why}`, {
    exit: EXIT.usage,
    hint: 'Give the bare host name of a website, such as example.com.',
  });
}

/** What is wrong with a cover domain, in words, or undefined. */
export function coverDomainFault(domain: string): string | undefined {
  if (domain === '') return 'it is empty';
  if (/\P{ASCII}/u.test(domain)) return 'it must be ASCII; write an international name as punycode (xn--…)';
  if (ipFamily(domain) !== 0) return 'it is an address, and TLS names no address as server';
  if (domain.length < DOMAIN_MIN) return `it is shorter than ${DOMAIN_MIN} characters`;
  if (domain.length > DOMAIN_MAX) return `it is longer than ${DOMAIN_MAX} characters`;
  if (!domain.split('.').every((label) => LABEL.test(label))) return 'it is not a host name';
  return undefined;
}
