import { randomBytes } from 'node:crypto';
import { HEADER_BYTES, type OpenedHeader, openHeader } from '../../../lib/protocol/obfuscated2.ts';
import { RecordReader } from '../../../lib/protocol/tls-record.ts';

export type InnerHeader = { header: OpenedHeader; rest: Buffer } | 'incomplete' | 'invalid';

/** The obfuscated2 header inside a fake-TLS stream, which may come in any number of records (protocol.md §2.6). */
export class InnerHeaderReader {
  /** Goes on with the stream after the header. */
  readonly records = new RecordReader();
  readonly #key: Buffer;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** More of the TLS stream, changed in place. `rest` is what of the client's stream came with the header. */
  push(data: Buffer): InnerHeader {
    const count = this.records.unwrap(data, data.length);
    if (count === -1) return 'invalid';
    const came = data.subarray(0, count);
    const bytes = this.#bytes.length === 0 ? came : Buffer.concat([this.#bytes, came]);
    if (bytes.length < HEADER_BYTES) {
      this.#bytes = Buffer.from(bytes);
      return 'incomplete';
    }
    const header = openHeader(bytes, this.#key);
    return header === null ? 'invalid' : { header, rest: Buffer.from(bytes.subarray(HEADER_BYTES)) };
  }
}

/** What a record with a sealed alert looks like from outside: two bytes, the inner type and a 16-byte tag (RFC 8446 §5.2). */
export function sealedAlert(): Buffer {
  return Buffer.concat([Buffer.from([0x17, 0x03, 0x03, 0x00, 19]), randomBytes(19)]);
}
