import { existsSync } from 'node:fs';
import os from 'node:os';
import { loadConfig } from '../config/load.ts';
import type { Settings } from '../config/schema.ts';
import type { StatusReply } from '../control/schema.ts';
import { MtpError } from '../errors.ts';
import { formatSecret, keyedSecret, type SecretMode } from '../secret/secret.ts';
import type { Paths } from '../system/paths.ts';
import type { UserSecret } from '../users/user.ts';
import { formatLinks, IPV6_WARNING } from './link.ts';
import { chooseServer, type Reach, type ServerFacts } from './server.ts';

/** What links of this installation are made of, besides a user's key. */
export interface Access {
  server: string;
  reach: Reach;
  port: number;
  domain: string;
  /** The modes that the proxy accepts, the one that is hardest to recognise first. */
  modes: SecretMode[];
  /** What may keep clients away; one sentence each. */
  warnings: string[];
}

export interface UserLink {
  mode: SecretMode;
  /** Hex. */
  secret: string;
  tg: string;
  https: string;
}

const PREFERENCE: SecretMode[] = ['ee', 'dd', 'plain'];

/** Access as the settings have it now, with another server where one is given; the port is that of the running proxy where the settings leave it open. */
export async function loadAccess(paths: Paths, { server }: { server?: string | undefined } = {}): Promise<Access> {
  const { settings } = await loadConfig({ file: paths.configFile, env: process.env });
  const link = server === undefined ? settings.link : { ...settings.link, server };
  const observed = settings.link.port === undefined ? await observePort(paths, settings.listen.port) : undefined;
  const access = describeAccess({ ...settings, link }, observed?.port, os.networkInterfaces());
  return { ...access, warnings: [...access.warnings, ...(observed?.warnings ?? [])] };
}

/** Pure part of `loadAccess`; `observed` is the port that the running proxy listens on. */
export function describeAccess(
  settings: Pick<Settings, 'cover' | 'link' | 'listen' | 'protocol'>,
  observed: number | undefined,
  interfaces: ServerFacts['interfaces'],
): Access {
  const { server, reach } = chooseServer({ configured: settings.link.server, interfaces });
  return {
    server,
    reach,
    port: settings.link.port ?? observed ?? settings.listen.port,
    domain: settings.cover.domain,
    modes: PREFERENCE.filter((mode) => settings.protocol.modes.includes(mode)),
    warnings: reachWarnings(server, reach),
  };
}

/** The links of a secret, one for every mode that the proxy accepts, the best first. */
export function userLinks(secret: Pick<UserSecret, 'key'>, access: Access): UserLink[] {
  return access.modes.map((mode) => linkIn(mode, secret, access));
}

/** The link to hand out: that of the mode which is hardest to recognise. */
export function bestLink(secret: Pick<UserSecret, 'key'>, access: Access): UserLink {
  return linkIn(access.modes[0] ?? 'ee', secret, access);
}

function linkIn(mode: SecretMode, { key }: Pick<UserSecret, 'key'>, { domain, server, port }: Access): UserLink {
  const secret = keyedSecret(mode, Buffer.from(key, 'hex'), domain);
  const { tg, https } = formatLinks({ server, port, secret });
  return { mode, secret: formatSecret(secret), tg, https };
}

function reachWarnings(server: string, reach: Reach): string[] {
  const set = 'Set the public name or address with: mtp config set link.server NAME';
  if (reach === 'private') return [`${server} is reached from the local network only. ${set}`];
  if (reach === 'loopback') return [`${server} is reached from this machine only. ${set}`];
  return server.includes(':') ? [IPV6_WARNING] : [];
}

async function observePort(paths: Paths, configured: number): Promise<{ port?: number; warnings: string[] }> {
  try {
    const listening = (await statusIfAny(paths))?.engine.listening;
    if (listening === null) return { warnings: ['The proxy is not accepting clients at this moment.'] };
    if (listening !== undefined) return { port: listening.port, warnings: [] };
    return { warnings: [`No proxy is running here; the link has port ${configured} as the configuration says.`] };
  } catch (error) {
    if (!(error instanceof MtpError)) throw error;
    return { warnings: [`The link has port ${configured} as the configuration says: ${error.message}.`] };
  }
}

/** The HTTP client takes a tenth of the time of a command; without a socket there is nobody to ask. */
async function statusIfAny(paths: Paths): Promise<StatusReply | undefined> {
  if (!existsSync(paths.socket)) return undefined;
  const { getStatus } = await import('../control/client.ts');
  return getStatus(paths);
}
