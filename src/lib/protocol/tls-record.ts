/** TLS 1.3 record framing of the fake-TLS stream after the handshake (protocol.md §3.9). */

export const RECORD_HEADER = 5;
/** Largest payload that we send in one record. */
export const RECORD_PAYLOAD = 16384;
/** Largest payload that we accept: TLS 1.3 allows 256 bytes of expansion (RFC 8446 §5.2). */
const RECORD_ACCEPTED = RECORD_PAYLOAD + 256;

const CHANGE_CIPHER_SPEC = 0x14;
const APPLICATION_DATA = 0x17;

/** Takes the records off a byte stream, whatever way TCP cut it. */
export class RecordReader {
  /** Payload bytes still to come in the current record. */
  #left = 0;
  /** Whether the current record's payload belongs to the stream. */
  #keep = false;
  /** Bytes of a header so far, as one number, and how many there are. */
  #header = 0;
  #headerBytes = 0;

  /**
   * Move the stream's bytes in `buffer[0:length)` to its front and return how many there are, or -1 when this is no record
   * stream that a client would send. Change-cipher-spec records are dropped wherever they stand.
   */
  unwrap(buffer: Buffer, length: number): number {
    let read = 0;
    let kept = 0;
    while (read < length) {
      if (this.#left > 0) {
        const count = Math.min(this.#left, length - read);
        if (this.#keep) {
          if (kept !== read) buffer.copyWithin(kept, read, read + count);
          kept += count;
        }
        this.#left -= count;
        read += count;
        continue;
      }
      this.#header = this.#header * 256 + (buffer[read++] as number);
      this.#headerBytes += 1;
      if (this.#headerBytes === RECORD_HEADER && !this.#open()) return -1;
    }
    return kept;
  }

  /** Write where it stands into four numbers of `state`, so that another reader may go on. */
  save(state: Float64Array, at: number): void {
    state[at] = this.#left;
    state[at + 1] = this.#keep ? 1 : 0;
    state[at + 2] = this.#header;
    state[at + 3] = this.#headerBytes;
  }

  /** Go on where the reader that wrote these numbers stood. */
  restore(state: Float64Array, at: number): void {
    this.#left = state[at] as number;
    this.#keep = state[at + 1] === 1;
    this.#header = state[at + 2] as number;
    this.#headerBytes = state[at + 3] as number;
  }

  /** Begin the record whose header is complete. */
  #open(): boolean {
    const type = Math.floor(this.#header / 2 ** 32);
    const version = (this.#header >>> 16) & 0xffff;
    const length = this.#header & 0xffff;
    this.#header = 0;
    this.#headerBytes = 0;
    if (version !== 0x0303 || length > RECORD_ACCEPTED) return false;
    if (type !== APPLICATION_DATA && (type !== CHANGE_CIPHER_SPEC || length !== 1)) return false;
    this.#keep = type === APPLICATION_DATA;
    this.#left = length;
    return true;
  }
}

/** Bytes that `payload` bytes take as application-data records. */
export function framedBytes(payload: number): number {
  return payload + Math.ceil(payload / RECORD_PAYLOAD) * RECORD_HEADER;
}

/** Write `payload[0:length)` into `out` as application-data records of at most 16,384 bytes; returns the bytes written. */
export function frameRecords(payload: Buffer, out: Buffer, length = payload.length): number {
  let at = 0;
  for (let from = 0; from < length; from += RECORD_PAYLOAD) {
    const count = Math.min(RECORD_PAYLOAD, length - from);
    out[at] = APPLICATION_DATA;
    out[at + 1] = 0x03;
    out[at + 2] = 0x03;
    out[at + 3] = count >> 8;
    out[at + 4] = count & 0xff;
    payload.copy(out, at + RECORD_HEADER, from, from + count);
    at += RECORD_HEADER + count;
  }
  return at;
}
