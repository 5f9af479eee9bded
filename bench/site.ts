import { readFileSync } from 'node:fs';
import net from 'node:net';
import type { Endpoint, Generator, Target } from './generator.ts';

/** Where a run takes place: addresses on loopback, one secret, and the cores. */

export interface Site {
  dc: Endpoint;
  /** A second data centre, for a second generator. */
  dc2: Endpoint;
  cover: Endpoint;
  /** 32 hex digits. */
  key: string;
  domain: string;
  /** One core each, as taskset names them; the same where there is only one. */
  proxyCores: string;
  generatorCores: string;
}

/** A proxy that is up. */
export interface Running {
  name: string;
  target: Target;
  /** It encrypts in compiled code of its own. */
  accelerated: boolean;
  stop: () => Promise<void>;
}

/** Secret as in a link: fake-TLS with the site's domain. */
export function secretOf({ key, domain }: Site): string {
  return `ee${key}${Buffer.from(domain).toString('hex')}`;
}

export async function makeSite(): Promise<Site> {
  const [dc, dc2, cover] = [await freeEndpoint(20_000), await freeEndpoint(23_000), await freeEndpoint(26_000)];
  return {
    dc,
    dc2,
    cover,
    key: '5c1e07d2a94b33f0886e2b7f41c9da10',
    domain: 'cover.test',
    ...chooseCores(),
  };
}

/** The first two cores that this process may use. */
function chooseCores(): Pick<Site, 'proxyCores' | 'generatorCores'> {
  const [, list = '0'] = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  const cores = list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => String(first + at));
  });
  const [proxyCores = '0', generatorCores = proxyCores] = cores;
  return { proxyCores, generatorCores };
}

/** The load generator at its place. */
export function generatorAt({ proxyCores, generatorCores }: Site, program: string): Generator {
  return { program, cores: generatorCores, watched: [...new Set([proxyCores, generatorCores])] };
}

/** A port below those that the system gives to connections, so that it stays free between two loads. */
async function freeEndpoint(from: number): Promise<Endpoint> {
  for (let port = from + Math.floor(Math.random() * 2000); ; port++) {
    if (await isFree(port)) return { host: '127.0.0.1', port };
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
