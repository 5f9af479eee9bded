import os from 'node:os';
import { loadConfig } from '../config/load.ts';
import { judgeAddress } from '../host/address.ts';
import { ADDRESS_URLS, askOutside } from '../host/outside.ts';
import type { Paths } from '../system/paths.ts';
import { type Asker, unanswered } from '../ui/ask.ts';
import { assertServer } from './link.ts';
import type { ServerFacts } from './server.ts';

export interface FoundServer {
  /** Undefined leaves the choice to the configuration and the interfaces. */
  server: string | undefined;
  warnings: string[];
}

export interface FindServerEdges {
  env: NodeJS.ProcessEnv;
  interfaces: ServerFacts['interfaces'];
  /** Services that tell callers their address; none for asking nobody outside. */
  urls: string[];
  /** Null where nobody can answer. */
  ask: Asker | null;
}

export const findServerEdges = (ask: Asker | null, urls: string[] = ADDRESS_URLS): FindServerEdges => ({
  env: process.env,
  interfaces: os.networkInterfaces(),
  urls,
  ask,
});

/**
 * The server for links: the one that is given or configured, else the IPv4 address on which the interfaces and the services
 * outside agree. Where they disagree a person chooses, and without one it is an error with status 64.
 */
export async function findServer(
  paths: Paths,
  given: string | undefined,
  { env, interfaces, urls, ask }: FindServerEdges,
): Promise<FoundServer> {
  if (given !== undefined) {
    assertServer(given);
    return { server: given, warnings: [] };
  }
  const { settings } = await loadConfig({ file: paths.configFile, env });
  if (settings.link.server !== undefined || urls.length === 0) return { server: undefined, warnings: [] };
  const outside = await Promise.all(urls.map(async (url) => askOutside(url, 4, Date.now)));
  const { address, candidates } = judgeAddress(interfaces, 4, outside);
  if (candidates.length > 0) {
    const question = 'Which address of this server do clients reach?';
    if (ask === null) throw unanswered(`${question} (${candidates.join(' or ')})`, '--server ADDRESS');
    const server = await ask.choose(question, candidates);
    return { server, warnings: [`You chose ${server}. Keep it with: mtp config set link.server ${server}`] };
  }
  if (outside.some(({ ok }) => ok)) return { server: address ?? undefined, warnings: [] };
  return { server: undefined, warnings: ['Nobody outside confirmed the address in the link.'] };
}
