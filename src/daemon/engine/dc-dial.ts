import { isIPv6 } from 'node:net';
import { ipv6Words } from '../../lib/protocol/ip-address.ts';
import { socksAddress, SocksDialogue } from '../../lib/protocol/socks5.ts';
import type { Endpoint, EngineSettings } from '../supervisor/engine.ts';
import { type Conn, type ConnOwner, dial } from './conn.ts';
import type { Plane } from './plane.ts';
import type { Timed } from './wheel.ts';

/** How long an address that failed is tried after the others. */
const FAILING_MS = 30_000;

/** Connects to one of a DC's addresses, directly or through SOCKS5, trying one after the other. */
export class DcDial implements ConnOwner, Timed {
  due = -1;
  bucket = 0;
  readonly #plane: Plane;
  readonly #endpoints: Endpoint[];
  readonly #done: (conn: Conn | null) => void;
  #conn: Conn | null = null;
  #dialogue: SocksDialogue | null = null;
  #answer = Buffer.alloc(0);
  #at = -1;

  /** `done` gets a connected socket, or null when no address could be reached. It is called once, unless cancelled. */
  constructor(plane: Plane, endpoints: readonly Endpoint[], done: (conn: Conn | null) => void) {
    this.#plane = plane;
    this.#endpoints = inOrder(endpoints, plane);
    this.#done = done;
    this.#next();
  }

  cancel(): void {
    this.#plane.wheel.cancel(this);
    const conn = this.#conn;
    this.#conn = null;
    this.#at = this.#endpoints.length;
    conn?.destroy();
  }

  #next(): void {
    this.#at += 1;
    const endpoint = this.#endpoints[this.#at];
    if (endpoint === undefined) {
      this.#conn = null;
      this.#done(null);
      return;
    }
    const { socks5, telegram } = this.#plane.settings;
    this.#plane.wheel.schedule(this, telegram.connectMs);
    const conn = dial(this, { host: (socks5 ?? endpoint).host, port: (socks5 ?? endpoint).port, noDelay: true });
    this.#conn = conn;
    conn.socket.once('connect', () => {
      if (conn !== this.#conn) return;
      if (socks5 === null) this.#connected(conn);
      else this.#negotiate(conn, endpoint, socks5);
    });
  }

  #negotiate(conn: Conn, to: Endpoint, { username, password }: NonNullable<EngineSettings['socks5']>): void {
    const login = username === undefined ? null : { username, password: password ?? '' };
    const address = socksAddress(to.host, isIPv6(to.host) ? ipv6Words(to.host) : null);
    this.#dialogue = new SocksDialogue(address, to.port, login);
    this.#answer = Buffer.alloc(0);
    conn.write(this.#dialogue.greeting);
  }

  #connected(conn: Conn): void {
    this.#plane.wheel.cancel(this);
    this.#plane.failing.delete(this.#name());
    this.#conn = null;
    this.#done(conn);
  }

  onData(conn: Conn, data: Buffer): void {
    if (conn !== this.#conn || this.#dialogue === null) return;
    this.#answer = Buffer.concat([this.#answer, data]);
    const step = this.#dialogue.read(this.#answer);
    switch (step.state) {
      case 'incomplete':
        return;
      case 'failed':
        this.#plane.event('warn', 'socks_refused', { reason: step.reason });
        conn.destroy();
        return;
      case 'send':
        this.#answer = this.#answer.subarray(step.consumed);
        conn.write(step.bytes);
        return;
      case 'connected':
        this.#connected(conn);
    }
  }

  onEnd(conn: Conn): void {
    conn.destroy();
  }

  onDrain(): void {
    // Greeting and request are far smaller than any socket buffer; there is no source to restart.
  }

  onClose(conn: Conn): void {
    if (conn !== this.#conn) return;
    this.#plane.wheel.cancel(this);
    this.#plane.failing.set(this.#name(), this.#plane.wheel.now + this.#plane.wheel.ticks(FAILING_MS));
    this.#next();
  }

  onFault(error: unknown): void {
    this.#plane.event('error', 'dial_fault', { message: error instanceof Error ? error.message : String(error) });
    this.#conn?.destroy('EFAULT');
  }

  expire(): void {
    this.#conn?.destroy('ETIMEDOUT');
  }

  #name(): string {
    const endpoint = this.#endpoints[this.#at];
    return endpoint === undefined ? '' : nameOf(endpoint);
  }
}

function nameOf({ host, port }: Endpoint): string {
  return `${host} ${port}`;
}

/** Addresses in the order to try: the preferred family first, those that failed a moment ago last. */
function inOrder(endpoints: readonly Endpoint[], plane: Plane): Endpoint[] {
  const { prefer } = plane.settings.telegram;
  const v6First = prefer === 'ipv6' || prefer === 'ipv6-only';
  const rank = (endpoint: Endpoint): number => {
    const failing = (plane.failing.get(nameOf(endpoint)) ?? -1) > plane.wheel.now;
    return (failing ? 2 : 0) + (isIPv6(endpoint.host) === v6First ? 0 : 1);
  };
  return endpoints
    .filter(({ host }) => !prefer.endsWith('-only') || isIPv6(host) === v6First)
    .sort((a, b) => rank(a) - rank(b));
}
