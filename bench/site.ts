import net from 'node:net';
import type { Endpoint, Target } from './generator.ts';

/** Where a run takes place: addresses on loopback, one secret, and the cores. */

export interface Site {
  dc: Endpoint;
  /** A second data centre, for a second generator. */
  dc2: Endpoint;
  cover: Endpoint;
  /** 32 hex digits. */
  key: string;
  domain: string;
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
    proxyCores: '0',
    generatorCores: '1',
  };
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
