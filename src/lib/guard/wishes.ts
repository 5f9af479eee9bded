import { parsePrefix, type Prefix } from '../access/prefix.ts';
import { EXIT, MtpError } from '../errors.ts';

/** Networks as an operator names them, each once; anything else is an error that names it. */
export function readNetworks(texts: readonly string[]): Prefix[] {
  return texts.map(readNetwork);
}

export function readNetwork(text: string): Prefix {
  const prefix = parsePrefix(text.trim());
  if (prefix !== null) return prefix;
  throw new MtpError('NETWORK_INVALID', `${JSON.stringify(text.slice(0, 60))} is no address and no network`, {
    exit: EXIT.usage,
    hint: 'Write 192.0.2.1, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/48; bits beyond the length have to be zero.',
  });
}
