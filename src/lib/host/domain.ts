import { Resolver } from 'node:dns/promises';
import tls from 'node:tls';
import { errnoCode } from '../errors.ts';
import { type CoverVerdict, probeCover } from '../probe/cover.ts';
import type { ProbeEdges } from '../probe/dc.ts';
import { type ProbeTarget, reasonOf } from '../probe/wire.ts';

/** What name servers and the website say about a domain. */
export interface DomainFacts {
  domain: string;
  /** Null where the name servers did not answer. */
  a: string[] | null;
  aaaa: string[] | null;
  /** Every address of it is one of ours. */
  isOurs: boolean;
  cover: CoverVerdict;
  /** Undefined where the certificate is good for the name, else what is wrong with it. */
  certificateFault: string | undefined;
}

/** Answers of a name server; rejects like `node:dns`. */
export type ResolveName = (domain: string, family: 4 | 6) => Promise<string[]>;

const DNS_MS = 3_000;

/** Ask the system's name servers, or the one that is named, past /etc/hosts: what counts is what everybody sees. */
export function nameResolver(server: string | undefined): ResolveName {
  const resolver = new Resolver({ timeout: DNS_MS, tries: 2 });
  if (server !== undefined) resolver.setServers([server]);
  return async (domain, family) => (family === 4 ? resolver.resolve4(domain) : resolver.resolve6(domain));
}

/** Look at a domain from outside: where it points, and how the website behind `target` answers to its name. */
export async function readDomainFacts(
  domain: string,
  target: ProbeTarget,
  ours: string[],
  { resolve, edges }: { resolve: ResolveName; edges: ProbeEdges },
): Promise<DomainFacts> {
  const [a, aaaa, cover, certificateFault] = await Promise.all([
    lookUp(resolve, domain, 4),
    lookUp(resolve, domain, 6),
    probeCover(target, domain, edges),
    findCertificateFault(target, domain, edges.timeoutMs),
  ]);
  return { domain, a, aaaa, isOurs: pointsToUs([...(a ?? []), ...(aaaa ?? [])], ours), cover, certificateFault };
}

/** Where a name points; empty when it has no such record, null when no name server answered. */
export async function lookUp(resolve: ResolveName, domain: string, family: 4 | 6): Promise<string[] | null> {
  try {
    return await resolve(domain, family);
  } catch (error) {
    return ['ENODATA', 'ENOTFOUND'].includes(errnoCode(error) ?? '') ? [] : null;
  }
}

export function pointsToUs(addresses: string[], ours: string[]): boolean {
  return addresses.length > 0 && addresses.every((address) => ours.includes(address));
}

async function findCertificateFault(
  target: ProbeTarget,
  domain: string,
  timeoutMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = tls.connect({ ...target, servername: domain, rejectUnauthorized: false }, () => {
      const { authorized, authorizationError } = socket;
      socket.destroy();
      // The types say Error; it is a code or a sentence.
      resolve(authorized ? undefined : String(authorizationError));
    });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer')));
    socket.on('error', (error) => resolve(reasonOf(error)));
  });
}
