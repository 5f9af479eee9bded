import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { MtpError } from '../../lib/errors.ts';
import type { Endpoint } from './engine.ts';

/** What we use of the handle under a bound socket that this process never listens on. */
export interface SocketHandle {
  getsockname(out: { port?: number }): number;
  close(): void;
}

/** Binds and does not listen: what node:cluster does for workers that share a socket (docs/decisions/030). */
type CreateHandle = (address: string, port: number, family: 4 | 6, fd: undefined, flags: number) => unknown;
const { _createServerHandle: createHandle } = net as unknown as { _createServerHandle: CreateHandle };

/** UV_TCP_REUSEPORT of libuv. */
const REUSE_PORT = 2;

/**
 * The sockets that clients connect to. They belong to the daemon and are lent to its engines, so that what the kernel has
 * queued on them waits for the next engine when one ends. They are bound when they are first asked for.
 */
export class ListenSockets {
  readonly #at: Endpoint;
  readonly #onePort: boolean;
  #handles: SocketHandle[] = [];
  #closed = false;

  /** With `onePort` all share the port, by SO_REUSEPORT; otherwise each has one of its own. */
  constructor(at: Endpoint, { onePort }: { onePort: boolean }) {
    this.#at = at;
    this.#onePort = onePort;
  }

  /**
   * The sockets that one of `workers` has to serve. There are never fewer than before, because one that is closed takes the
   * connections in its queue along: where there are more sockets than workers, some serve several.
   */
  of(worker: number, workers: number): SocketHandle[] {
    while (this.#handles.length < workers) this.#handles.push(this.#bind());
    return this.#handles.filter((_handle, index) => index % workers === worker);
  }

  /** Where each of them can be reached. */
  get endpoints(): Endpoint[] {
    return this.#handles.map((handle) => ({ host: this.#at.host, port: portOf(handle, this.#at) }));
  }

  /** Whether a listener on `at` may use these. */
  serves(at: Endpoint): boolean {
    return !this.#closed && this.#at.host === at.host && this.#at.port === at.port;
  }

  close(): void {
    this.#closed = true;
    for (const handle of this.#handles.splice(0)) handle.close();
  }

  #bind(): SocketHandle {
    const { host } = this.#at;
    const [first] = this.#handles;
    const port = this.#onePort && first !== undefined ? portOf(first, this.#at) : this.#at.port;
    const made = createHandle(host, port, net.isIPv6(host) ? 6 : 4, undefined, this.#onePort ? REUSE_PORT : 0);
    if (typeof made === 'number') throw bindError(made, this.#at);
    const handle = made as SocketHandle;
    // libuv keeps the error of a port that is taken until somebody listens.
    portOf(handle, this.#at);
    return handle;
  }
}

function portOf(handle: SocketHandle, at: Endpoint): number {
  const out: { port?: number } = {};
  const status = handle.getsockname(out);
  if (status === 0 && out.port !== undefined) return out.port;
  handle.close();
  throw bindError(status, at);
}

function bindError(status: number, { host, port }: Endpoint): MtpError {
  const code = getSystemErrorName(status);
  return new MtpError(code, `cannot listen on ${host} port ${port}: ${code}`);
}
