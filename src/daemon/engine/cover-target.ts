import { lookup } from 'node:dns';
import { BlockList, isIP, type NetConnectOpts } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { CoverTarget, Endpoint } from '../supervisor/engine.ts';

const FRESH_MS = 60_000;

export type ResolvedCover = NetConnectOpts | 'loop' | 'unresolved';

/**
 * Where the cover is right now. Names are looked up at most once a minute, and the last good answer serves while the
 * resolver does not. A target that is this proxy itself is refused at every dial (protocol.md §4 rule 6).
 */
export class CoverTargetResolver {
  readonly #target: CoverTarget;
  readonly #listen: Endpoint;
  #waiting: ((addresses: string[]) => void)[] = [];
  #addresses: string[] = [];
  #freshUntil = 0;

  constructor(target: CoverTarget, listen: Endpoint) {
    this.#target = target;
    this.#listen = listen;
  }

  resolve(done: (resolved: ResolvedCover) => void): void {
    const target = this.#target;
    if ('path' in target) {
      done({ path: target.path });
      return;
    }
    this.#lookup(target.host, (addresses) => {
      const [host] = addresses;
      if (host === undefined) done('unresolved');
      else if (target.port === this.#listen.port && addresses.some((address) => this.#isListener(address)))
        done('loop');
      else done({ host, port: target.port });
    });
  }

  /** Whether an address is one of this machine's that the listener serves. */
  #isListener(address: string): boolean {
    const bound = this.#listen.host;
    const wildcard = bound === '::' || bound === '0.0.0.0';
    return wildcard ? isOwnAddress(address) : address === bound || (isLoopback(address) && isLoopback(bound));
  }

  #lookup(host: string, done: (addresses: string[]) => void): void {
    if (isIP(host) !== 0) {
      done([host]);
      return;
    }
    if (Date.now() < this.#freshUntil) {
      done(this.#addresses);
      return;
    }
    this.#waiting.push(done);
    if (this.#waiting.length > 1) return;
    lookup(host, { all: true, order: 'ipv4first' }, (error, found) => {
      if (error === null) this.#addresses = found.map(({ address }) => address);
      this.#freshUntil = Date.now() + (error === null ? FRESH_MS : FRESH_MS / 10);
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const next of waiting) next(this.#addresses);
    });
  }
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

function isLoopback(address: string): boolean {
  return isIP(address) !== 0 && loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** Whether this machine answers to an address. */
export function isOwnAddress(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  if (isLoopback(plain)) return true;
  return Object.values(networkInterfaces()).some((entries) => entries?.some((entry) => entry.address === plain));
}
