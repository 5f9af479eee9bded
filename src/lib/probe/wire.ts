import net from 'node:net';
import { errnoCode } from '../errors.ts';
import { ipv6Words } from '../protocol/ip-address.ts';
import { socksAddress, SocksDialogue } from '../protocol/socks5.ts';

export type ProbeTarget = { host: string; port: number } | { path: string };

/** A SOCKS5 proxy to reach the target through. */
export interface Via {
  host: string;
  port: number;
  username?: string;
  password?: string;
}

/** Why a probe ended: what the operating system said, or that the peer was silent or closed. */
export class ProbeFailure extends Error {}

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name server does not answer',
  ENETUNREACH: 'network unreachable',
  EHOSTUNREACH: 'host unreachable',
  ETIMEDOUT: 'no answer',
  ENOENT: 'no such socket',
  EACCES: 'permission denied',
};

/** A failure in a few words for a screen. */
export function reasonOf(error: unknown): string {
  const code = errnoCode(error);
  if (code !== undefined) return WORDS[code] ?? code;
  return error instanceof Error ? error.message : String(error);
}

/** A connection that is read by exact lengths under one deadline. Always `close` it. */
export class ProbeSocket {
  readonly #socket: net.Socket;
  #chunks = Buffer.alloc(0);
  #ended = false;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks = Buffer.concat([this.#chunks, chunk]);
      this.#wake();
    });
    socket.on('error', (error) => {
      this.#failure = error;
      this.#wake();
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** As `open`, through a SOCKS5 proxy where one is given; a unix socket is always local. */
  static async openVia(target: ProbeTarget, timeoutMs: number, via: Via | undefined): Promise<ProbeSocket> {
    if (via === undefined || 'path' in target) return ProbeSocket.open(target, timeoutMs);
    const probe = await ProbeSocket.open({ host: via.host, port: via.port }, timeoutMs);
    try {
      await probe.#socks(target, via);
      return probe;
    } catch (error) {
      probe.close();
      throw new ProbeFailure(`SOCKS5 proxy: ${reasonOf(error)}`);
    }
  }

  /** Connect, or fail with the system's error; the deadline counts for everything that follows. */
  static async open(target: ProbeTarget, timeoutMs: number): Promise<ProbeSocket> {
    const socket = net.connect(target);
    socket.setNoDelay(true);
    const probe = new ProbeSocket(socket);
    const timer = setTimeout(() => socket.destroy(new ProbeFailure('no answer')), timeoutMs);
    socket.once('close', () => clearTimeout(timer));
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return probe;
  }

  /** Our end of a TCP connection. */
  get local(): { host: string; port: number } {
    return { host: this.#socket.localAddress ?? '', port: this.#socket.localPort ?? 0 };
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Exactly `count` bytes. With `silenceMs`, null when nothing came for so long. */
  async read(count: number): Promise<Buffer>;
  async read(count: number, silenceMs: number): Promise<Buffer | null>;
  async read(count: number, silenceMs?: number): Promise<Buffer | null> {
    while (this.#chunks.length < count) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) throw new ProbeFailure('connection closed');
      if (!(await this.#arrival(silenceMs))) return null;
    }
    const taken = this.#chunks.subarray(0, count);
    this.#chunks = this.#chunks.subarray(count);
    return taken;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #socks({ host, port }: { host: string; port: number }, { username, password }: Via): Promise<void> {
    const login = username === undefined ? null : { username, password: password ?? '' };
    const words = net.isIPv6(host) ? ipv6Words(host) : null;
    const dialogue = new SocksDialogue(socksAddress(host, words), port, login);
    this.write(dialogue.greeting);
    for (let answer = Buffer.alloc(0); ;) {
      answer = Buffer.concat([answer, await this.read(1)]);
      const step = dialogue.read(answer);
      if (step.state === 'failed') throw new ProbeFailure(step.reason);
      if (step.state === 'connected') return;
      if (step.state !== 'send') continue;
      this.write(step.bytes);
      answer = answer.subarray(step.consumed);
    }
  }

  async #arrival(silenceMs: number | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = silenceMs === undefined ? undefined : setTimeout(() => resolve(false), silenceMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}
