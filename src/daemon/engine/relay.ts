import type { Ctr } from '../../lib/protocol/ctr.ts';
import { framedBytes, frameRecords, type RecordReader } from '../../lib/protocol/tls-record.ts';
import { BULK_BYTES, type Conn } from './conn.ts';
import type { CounterRow } from './shared/counters.ts';

/** One write takes a whole bulk read with its record headers. Shared by the sessions of this thread. */
const frames = Buffer.allocUnsafeSlow(framedBytes(BULK_BYTES));

export interface RelayParts {
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
