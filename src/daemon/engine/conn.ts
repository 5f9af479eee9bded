import { readSync, writeSync } from 'node:fs';
import type net from 'node:net';
import { errnoCode } from '../../lib/errors.ts';
import { release } from '../../lib/protocol/release.ts';

/**
 * One socket of the data plane, without streams on the hot path: it reads into a buffer that all sockets of the worker
 * share, and writes straight to the descriptor. Measured at two to four times the throughput of `pipe`.
 */

export const BULK_BYTES = 256 * 1024;
const STEADY_BYTES = 64 * 1024;
/** A ClientHello of 16 KB in up to 16 records fits. */
export const OPENING_BYTES = 20 * 1024;

/** Shared by the sockets of this thread: what was read is consumed or copied before the read callback returns. */
const shared = Buffer.allocUnsafeSlow(BULK_BYTES);
/** Takes the byte that should not have come; `shared` may be in use while a connection is looked at. */
const probe = Buffer.allocUnsafeSlow(1);
const READS = {
  /** Before authentication, so that few bytes of a stranger are ever in hand. */
  opening: shared.subarray(0, OPENING_BYTES),
  steady: shared.subarray(0, STEADY_BYTES),
  /** While the other side takes everything: larger reads are cheaper, but would be held if it stopped taking. */
  bulk: shared,
};

/** How long a closing socket may wait for a peer that does not take what is queued for it. */
const LINGER_MS = 60_000;
/** Full reads in a row that the other side took whole, after which a stream reads in bulk. */
const PROMOTE_AFTER = 4;

export interface ConnOwner {
  /** `buffer[0:length)` was read: valid until this returns, and may be changed. */
  onData(conn: Conn, buffer: Buffer, length: number): void;
  /** The peer will send no more. */
  onEnd(conn: Conn): void;
  /** Everything that `write` had to queue is with the kernel. */
  onDrain(conn: Conn): void;
  /** The socket is gone, with a system error code or null after an orderly end. Called once. */
  onClose(conn: Conn, error: string | null): void;
  /** `onData` threw: the owner gives up this connection, so that one fault does not take the worker's others along. */
  onFault(error: unknown): void;
}

/** Until somebody takes a connection over, nothing happens on it. */
const NOBODY: ConnOwner = {
  onData: () => undefined,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
  onFault: () => undefined,
};

/** Where a socket has its connection. */
const CONN = Symbol('conn');

type OwnedSocket = net.Socket & { [CONN]: Conn };

function connOf(socket: net.Socket): Conn {
  return (socket as OwnedSocket)[CONN];
}

export type Onread = NonNullable<net.SocketConstructorOpts['onread']>;

export class Conn {
  /** Written to and closed through this class alone, which knows whether the descriptor is lent. */
  readonly socket: net.Socket;
  /** Bytes that the kernel has not taken yet; never more than one read of the other side. */
  queued = 0;
  ended = false;
  closed = false;
  /** Who hears of this socket now. */
  owner: ConnOwner = NOBODY;
  #read: keyof typeof READS = 'opening';
  /** What the socket reads into. */
  #buffer: Buffer | null = null;
  #fullReads = 0;
  readonly #local: boolean;
  /** The handle that `#fd` was asked of: asking is a call out of JavaScript. */
  #handle: object | null = null;
  #fd = -1;
  #paused = false;
  #yielding = false;
  /** Ends the loan of the descriptor, if there is one. */
  #recall: (() => void) | null = null;
  #error: string | null = null;

  /** `open` makes the socket, and is given the callbacks that it shall read with; `local` is a unix socket. */
  constructor(open: (onread: Onread) => net.Socket, local = false) {
    this.#local = local;
    this.socket = open({
      buffer: () => this.#readBuffer() as Buffer,
      callback: (length) => this.#onRead(length),
    });
    (this.socket as OwnedSocket)[CONN] = this;
    this.socket.on('end', Conn.#ended).on('error', Conn.#failed).on('close', Conn.#closed);
  }

  // One listener for all sockets: of each thousand connections that is 200 KB.

  static #ended(this: net.Socket): void {
    const conn = connOf(this);
    conn.ended = true;
    if (!conn.closed) conn.owner.onEnd(conn);
  }

  static #failed(this: net.Socket, error: Error): void {
    connOf(this).#error ??= errnoCode(error) ?? error.message;
  }

  static #closed(this: net.Socket): void {
    const conn = connOf(this);
    conn.closed = true;
    conn.owner.onClose(conn, conn.#error);
  }

  /** Bytes from the socket: read into our buffer, or by a stream where that was not possible. */
  feed(buffer: Buffer, length = buffer.length): void {
    try {
      this.owner.onData(this, buffer, length);
    } catch (error) {
      this.owner.onFault(error);
    }
  }

  /**
   * The descriptor, if it can be lent: the socket is open both ways, reads into our buffer, and has nothing under way. Null
   * otherwise.
   */
  lendable(): number | null {
    const { socket } = this;
    const busy =
      this.#recall !== null || this.#paused || this.#yielding || this.queued > 0 || socket.writableLength > 0;
    const ending = this.closed || this.ended || socket.destroyed || socket.writableEnded;
    return busy || ending || this.#local || this.#buffer === null ? null : this.#descriptor();
  }

  /**
   * Leave the socket to who uses its descriptor. `recall` is called before anything else is done with this socket, above all
   * before it is closed: from then on the number may be another's. It must end the use there and then, and call `takeBack`.
   */
  lend(recall: () => void): void {
    this.#recall = recall;
    this.socket.pause();
  }

  /** The loan is over: read on. */
  takeBack(): void {
    this.#recall = null;
    if (!this.socket.destroyed) this.socket.resume();
  }

  /** Leave the small reads of the opening. */
  relay(): void {
    this.#read = 'steady';
  }

  /**
   * Send `data[0:length)`, which stays the caller's. Returns false when some had to be queued: then the caller stops its
   * source until `onDrain`.
   */
  write(data: Uint8Array, length = data.length): boolean {
    this.#recall?.();
    if (this.closed || this.socket.writableEnded) return true;
    let taken = 0;
    if (this.queued === 0) {
      const fd = this.#descriptor();
      if (fd !== null) {
        try {
          taken = writeSync(fd, data, 0, length);
        } catch (error) {
          const code = errnoCode(error);
          if (code !== 'EAGAIN') {
            this.destroy(code ?? 'EIO');
            return true;
          }
        }
        if (taken === length) return true;
      }
    }
    const rest = Buffer.allocUnsafeSlow(length - taken);
    rest.set(data.subarray(taken, length));
    this.queued += length - taken;
    this.socket.write(rest, () => {
      this.queued -= length - taken;
      release(rest);
      if (this.queued === 0 && !this.closed) this.owner.onDrain(this);
    });
    return false;
  }

  /**
   * Whether the connection stands and nothing has come on it, a FIN or a reset included that the event loop has not told of
   * yet. A byte read here is lost.
   */
  isQuiet(): boolean {
    this.#recall?.();
    const fd = this.closed || this.ended ? null : this.#descriptor();
    if (fd === null) return false;
    try {
      readSync(fd, probe, 0, 1, null);
      return false;
    } catch (error) {
      return errnoCode(error) === 'EAGAIN';
    }
  }

  /** Stop reading; what has been read so far was too much for the other side, so the next reads are smaller. */
  pause(): void {
    this.#recall?.();
    this.#paused = true;
    this.#fullReads = 0;
    if (this.#read === 'bulk') this.#read = 'steady';
    this.socket.pause();
  }

  resume(): void {
    this.#recall?.();
    this.#paused = false;
    if (!this.#yielding) this.socket.resume();
  }

  /** Send FIN after what is queued. Where the peer has said it too, closing does that, and saves the shutdown. */
  end(): void {
    this.#recall?.();
    if (this.ended && this.queued === 0) this.socket.destroy();
    else this.socket.end();
  }

  /** Close as the other side was closed: by FIN after what is queued, or by reset. */
  closeLike(error: string | null): void {
    this.#recall?.();
    if (error !== null) {
      this.reset();
      return;
    }
    // A peer that takes nothing more must not keep the socket for ever.
    if (this.socket.writableLength > 0) this.socket.setTimeout(LINGER_MS, () => this.destroy('ETIMEDOUT'));
    this.socket.destroySoon();
  }

  /** Close at once, by FIN. */
  destroy(error: string | null = null): void {
    this.#recall?.();
    this.#error ??= error;
    this.socket.destroy();
  }

  /** Close at once, by RST where there is a connection that has one: not on a unix socket, not before it is open. */
  reset(): void {
    this.#recall?.();
    const shuttingDown = this.socket.writableEnded && !this.socket.writableFinished;
    // A handle in the middle of a shutdown refuses to be reset, and would stay open.
    if (this.socket.connecting || this.#local || shuttingDown) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  /**
   * The file descriptor of a connected socket, or null where it cannot be used. `_handle` is not documented, but the only way
   * past the stream; it is another or null from the moment the descriptor is closed, so that another's is never written to.
   */
  #descriptor(): number | null {
    if (this.socket.connecting) return null;
    const { _handle: handle } = this.socket as unknown as { _handle?: { fd?: number } | null };
    if (handle === null || handle === undefined) return null;
    if (handle !== this.#handle) {
      this.#handle = handle;
      this.#fd = handle.fd ?? -1;
    }
    return this.#fd >= 0 ? this.#fd : null;
  }

  /** Where the next read goes. Null for where the last one went: that saves looking into the buffer again. */
  #readBuffer(): Buffer | null {
    const buffer = READS[this.#read];
    if (buffer === this.#buffer) return null;
    this.#buffer = buffer;
    return buffer;
  }

  #onRead(length: number): boolean {
    const buffer = this.#buffer as Buffer;
    this.feed(buffer, length);
    if (this.#recall !== null) {
      // Whoever has the descriptor now reads by turns of its own.
      this.#fullReads = 0;
      return true;
    }
    if (length < buffer.length) {
      this.#fullReads = 0;
      return true;
    }
    if (!this.#paused && this.#read === 'steady' && ++this.#fullReads > PROMOTE_AFTER) this.#read = 'bulk';
    // One full read a turn: libuv would go on up to 32 times and starve the small sessions.
    this.#yielding = true;
    setImmediate(() => {
      this.#yielding = false;
      if (!this.#paused && !this.closed) this.socket.resume();
    });
    return false;
  }
}
