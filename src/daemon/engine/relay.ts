import { randomBytes } from 'node:crypto';
import type { Ctr } from '../../lib/protocol/ctr.ts';
import { makeHeader, type OpenedHeader } from '../../lib/protocol/obfuscated2.ts';
import { framedBytes, frameRecords, type RecordReader } from '../../lib/protocol/tls-record.ts';
import { BULK_BYTES, type Conn } from './conn.ts';
import type { Plane } from './plane.ts';
import type { CounterRow } from './shared/counters.ts';

/** One write takes a whole bulk read with its record headers. Shared by the sessions of this thread. */
const frames = Buffer.allocUnsafeSlow(framedBytes(BULK_BYTES));

interface RelayParts {
  client: Conn;
  upstream: Conn;
  counters: CounterRow;
  /** Takes the client's bytes out of TLS records; null on a bare connection. */
  records: RecordReader | null;
  clientUp: Ctr;
  dcUp: Ctr;
  /** DC stream in, client stream out; null in fast mode, where they are the same bytes (protocol.md §6.3). */
  down: { dc: Ctr; client: Ctr } | null;
}

export interface JoinParts {
  client: Conn;
  upstream: Conn;
  header: OpenedHeader;
  /** Null on a bare connection. */
  records: RecordReader | null;
  /** Bytes of the client's stream that came with its header. */
  rest: Buffer;
}

/** Introduce ourselves to a connected DC as this client, and send it what the client has said so far (protocol.md §6.2). */
export function joinDc({ settings, counters }: Plane, { client, upstream, header, records, rest }: JoinParts): Relay {
  const { fastMode } = settings;
  const { transport, dc, downKeyIv } = header;
  const made = makeHeader({ transport, dc, random: randomBytes, secret: null, ...(fastMode ? { downKeyIv } : {}) });
  const down = fastMode ? null : { dc: made.down, client: header.down };
  const relay = new Relay({ client, upstream, counters, records, clientUp: header.up, dcUp: made.up, down });
  upstream.relay();
  client.relay();
  upstream.write(made.wire);
  if (rest.length > 0) relay.upPayload(rest);
  if (upstream.queued === 0) client.resume();
  return relay;
}

/**
 * Bytes between one client and its DC. A side that does not take what it is given stops the other: what is held for it is
 * never more than one read, at most 256 KiB and normally 64 KiB.
 */
export class Relay {
  readonly #parts: RelayParts;

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** Bytes of the client, changed in place. Returns false when they are no record stream. */
  up(data: Buffer): boolean {
    const { records } = this.#parts;
    if (records === null) {
      this.upPayload(data);
      return true;
    }
    const count = records.unwrap(data, data.length);
    if (count > 0) this.upPayload(data.subarray(0, count));
    return count !== -1;
  }

  /** Bytes of the client's stream, already out of their records. */
  upPayload(payload: Buffer): void {
    const { client, upstream, counters, clientUp, dcUp } = this.#parts;
    counters.add('up', payload.length);
    if (!upstream.write(dcUp.apply(clientUp.apply(payload)))) client.pause();
  }

  /** Bytes of the DC, changed in place. */
  down(data: Buffer): void {
    const { client, upstream, counters, records, down } = this.#parts;
    counters.add('down', data.length);
    let bytes = down === null ? data : down.client.apply(down.dc.apply(data));
    if (records !== null) bytes = frames.subarray(0, frameRecords(bytes, frames));
    if (!client.write(bytes)) upstream.pause();
  }

  /** Hold no ciphers while nothing moves; they are made again from their offsets. */
  rest(): void {
    const { clientUp, dcUp, down } = this.#parts;
    clientUp.rest();
    dcUp.rest();
    down?.dc.rest();
    down?.client.rest();
  }
}
