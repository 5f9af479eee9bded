import { isIPv6 } from 'node:net';
import { ipv6Words } from '../../lib/protocol/ip-address.ts';
import { socksAddress, SocksDialogue } from '../../lib/protocol/socks5.ts';
import type { Endpoint, EngineSettings } from '../supervisor/engine.ts';
import type { Conn, ConnOwner } from './conn.ts';
import { dial } from './dial.ts';
import type { Plane } from './plane.ts';
import type { Timed } from './wheel.ts';

/** One connect to one address, directly or through SOCKS5. The breaker of the address hears how it ended. */
export class DcAttempt implements ConnOwner, Timed {
  due = -1;
  bucket = 0;
  readonly endpoint: Endpoint;
  readonly #plane: Plane;
  readonly #over: (conn: Conn | null) => void;
  readonly #trial: boolean;
  #conn: Conn | null;
  #dialogue: SocksDialogue | null = null;
  #answer = Buffer.alloc(0);

  /**
   * `trial` when the breaker of the address was claimed for this. `over` gets the connected socket or null, once and never
   * before this returns, unless cancelled.
   */
  constructor(
    plane: Plane,
    { endpoint, limitMs, trial }: { endpoint: Endpoint; limitMs: number; trial: boolean },
    over: (conn: Conn | null) => void,
  ) {
    const { socks5 } = plane.settings;
    this.endpoint = endpoint;
    this.#plane = plane;
    this.#over = over;
    this.#trial = trial;
    plane.wheel.schedule(this, limitMs);
    const { host, port } = socks5 ?? endpoint;
    const conn = dial(this, { host, port, noDelay: true });
    this.#conn = conn;
    conn.socket.once('connect', () => {
      if (conn !== this.#conn) return;
      if (socks5 === null) this.#connected(conn);
      else this.#negotiate(conn, socks5);
    });
  }

  cancel(): void {
    const conn = this.#conn;
    if (conn === null) return;
    this.#conn = null;
    this.#plane.wheel.cancel(this);
    if (this.#trial) this.#plane.breakers.release(this.endpoint);
    conn.destroy();
  }

  #negotiate(conn: Conn, { username, password }: NonNullable<EngineSettings['socks5']>): void {
    const { host, port } = this.endpoint;
    const login = username === undefined ? null : { username, password: password ?? '' };
    this.#dialogue = new SocksDialogue(socksAddress(host, isIPv6(host) ? ipv6Words(host) : null), port, login);
    conn.write(this.#dialogue.greeting);
  }

  #connected(conn: Conn): void {
    this.#conn = null;
    this.#plane.wheel.cancel(this);
    this.#plane.breakers.succeeded(this.endpoint);
    this.#over(conn);
  }

  onData(conn: Conn, buffer: Buffer, length: number): void {
    if (conn !== this.#conn || this.#dialogue === null) return;
    this.#answer = Buffer.concat([this.#answer, buffer.subarray(0, length)]);
    const step = this.#dialogue.read(this.#answer);
    switch (step.state) {
      case 'incomplete':
        return;
      case 'failed':
        this.#plane.event('warn', 'socks_refused', { reason: step.reason });
        conn.destroy('SOCKS5');
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

  onClose(conn: Conn, error: string | null): void {
    if (conn !== this.#conn) return;
    this.#conn = null;
    this.#plane.wheel.cancel(this);
    this.#plane.breakers.failed(this.endpoint, error ?? 'ECONNRESET', this.#trial);
    this.#over(null);
  }

  onFault(error: unknown): void {
    this.#plane.event('error', 'dial_fault', { message: error instanceof Error ? error.message : String(error) });
    this.#conn?.destroy('EFAULT');
  }

  expire(): void {
    this.#conn?.destroy('ETIMEDOUT');
  }
}
