import { randomBytes } from 'node:crypto';
import { EXIT, MtpError } from '../errors.ts';
import { formatLinks } from '../link/link.ts';
import { formatSecret, generateSecret, type SecretMode } from './secret.ts';

export interface Wish {
  mode: SecretMode;
  /** For ee; `defaultDomain` is asked if it is not given. */
  domain?: string | undefined;
  /** Links are made when there is a server. */
  server?: string | undefined;
  port?: number | undefined;
}

export interface Made {
  mode: SecretMode;
  /** Hex. */
  secret: string;
  domain?: string;
  links?: { tg: string; https: string };
  warnings: string[];
}

const HTTPS_PORT = 443;

/** A fresh secret as wished, with links if a server is named. Wishes that contradict each other are usage errors. */
export async function makeSecret(
  { mode, domain, server, port }: Wish,
  defaultDomain: () => Promise<string>,
  random: (bytes: number) => Buffer = randomBytes,
): Promise<Made> {
  if (mode !== 'ee' && domain !== undefined) throw usage('--domain goes with --mode ee only');
  if (port !== undefined && server === undefined) throw usage('--port needs --server');
  const secret = generateSecret(mode, mode === 'ee' ? (domain ?? (await defaultDomain())) : '', random);
  const named = secret.mode === 'ee' ? { domain: secret.domain } : {};
  const made = { mode, secret: formatSecret(secret), ...named };
  if (server === undefined) return { ...made, warnings: [] };
  const { tg, https, warnings } = formatLinks({ server, port: port ?? HTTPS_PORT, secret });
  return { ...made, links: { tg, https }, warnings };
}

/** An error of the command line, with status 64. */
export function usage(message: string): MtpError {
  return new MtpError('USAGE', message, { exit: EXIT.usage, hint: 'Add --help to see what is allowed.' });
}
