/** The client side of SOCKS5 with optional user name and password (RFC 1928, RFC 1929). */

export interface SocksLogin {
  username: string;
  password: string;
}

export type SocksStep =
  | { state: 'incomplete' }
  | { state: 'failed'; reason: string }
  /** Send `bytes` and read on; `consumed` bytes of the answer are done with. */
  | { state: 'send'; bytes: Buffer; consumed: number }
  | { state: 'connected'; consumed: number };

type Phase = 'greeting' | 'login' | 'request';

const REPLIES: Readonly<Record<number, string>> = {
  1: 'general failure',
  2: 'not allowed by its rules',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'TTL expired',
  7: 'command not supported',
  8: 'address type not supported',
};

/** One connection's dialogue: send `greeting` first, then feed every answer to `read`. */
export class SocksDialogue {
  readonly greeting: Buffer;
  readonly #request: Buffer;
  readonly #login: SocksLogin | null;
  #phase: Phase = 'greeting';

  constructor(address: Buffer, port: number, login: SocksLogin | null) {
    this.#login = login;
    this.greeting = login === null ? Buffer.from([5, 1, 0]) : Buffer.from([5, 2, 0, 2]);
    this.#request = Buffer.concat([Buffer.from([5, 1, 0]), address, Buffer.from([port >> 8, port & 0xff])]);
  }

  /** Decide on the bytes received so far and not yet consumed. */
  read(data: Buffer): SocksStep {
    switch (this.#phase) {
      case 'greeting':
        return this.#readMethod(data);
      case 'login':
        if (data.length < 2) return { state: 'incomplete' };
        if (data[1] !== 0) return { state: 'failed', reason: 'it refused the user name or password' };
        return this.#sendRequest(2);
      case 'request':
        return readReply(data);
    }
  }

  #readMethod(data: Buffer): SocksStep {
    if (data.length < 2) return { state: 'incomplete' };
    if (data[0] !== 5) return { state: 'failed', reason: 'it does not speak SOCKS5' };
    if (data[1] === 0) return this.#sendRequest(2);
    if (data[1] !== 2 || this.#login === null) {
      return {
        state: 'failed',
        reason: this.#login === null ? 'it asks for a login' : 'it offers no login that we have',
      };
    }
    this.#phase = 'login';
    const username = Buffer.from(this.#login.username);
    const password = Buffer.from(this.#login.password);
    const bytes = Buffer.concat([
      Buffer.from([1, username.length]),
      username,
      Buffer.from([password.length]),
      password,
    ]);
    return { state: 'send', bytes, consumed: 2 };
  }

  #sendRequest(consumed: number): SocksStep {
    this.#phase = 'request';
    return { state: 'send', bytes: this.#request, consumed };
  }
}

function readReply(data: Buffer): SocksStep {
  if (data.length >= 1 && data[0] !== 5) return { state: 'failed', reason: 'it does not speak SOCKS5' };
  if (data.length >= 2 && data[1] !== 0) {
    return { state: 'failed', reason: REPLIES[data[1] as number] ?? `reply code ${data[1]}` };
  }
  if (data.length < 5) return { state: 'incomplete' };
  const bound = { 1: 4, 3: 1 + (data[4] as number), 4: 16 }[data[3] as number];
  if (bound === undefined) return { state: 'failed', reason: 'its reply has an unknown address type' };
  const consumed = 4 + bound + 2;
  return data.length < consumed ? { state: 'incomplete' } : { state: 'connected', consumed };
}

/** The address part of a request: type and bytes (RFC 1928 §5). `words` are those of an IPv6 address. */
export function socksAddress(host: string, words: readonly number[] | null): Buffer {
  if (words !== null) return Buffer.from([4, ...words.flatMap((word) => [word >> 8, word & 0xff])]);
  const parts = host.split('.').map(Number);
  if (parts.length === 4 && parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255)) {
    return Buffer.from([1, ...parts]);
  }
  const name = Buffer.from(host);
  return Buffer.concat([Buffer.from([3, name.length]), name]);
}
