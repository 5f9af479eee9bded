/**
 * What the accelerator offers for relays besides the cipher: lanes, in which bytes go from socket to socket without JavaScript.
 * There are none outside of Linux.
 */

/** Places of the numbers in which a lane is described. `accelerator.cc` has the same. */
export const FORM = {
  clientFd: 0,
  dcFd: 1,
  /** Handles of the streams that bytes of the client come out of and go into, then those of the DC; 0 for bytes as they are. */
  clientUp: 2,
  dcUp: 3,
  dcDown: 4,
  clientDown: 5,
  /** 1 when the client speaks in TLS records. */
  framed: 6,
  /** State of the client's `RecordReader`. */
  records: 7,
  /** Payload bytes that `tally` has not told of; written by `leave`. */
  upBytes: 11,
  downBytes: 12,
} as const;

export const FORM_PLACES = 13;

/** Why a lane has stopped. */
export const REASON = {
  /** Nothing is lost: read on. It is the end of the stream, or a cipher stream is stale. */
  readOn: 0,
  /** A system call failed on the socket of that side. */
  failed: 1,
  /** The socket of that side has not taken `rest`. */
  blocked: 2,
  /** The client sent what is no record. */
  invalid: 3,
} as const;

/** `side` is 0 for the client and 1 for the DC; `rest` is ready to be sent. The lane must be left before this returns. */
export type HandOver = (lane: number, reason: number, side: number, errno: number, rest: Buffer | undefined) => void;

export interface NativeLanes {
  /** Have `handOver` called when a lane of this thread has stopped; false where lanes cannot be had. */
  startLanes(handOver: HandOver): boolean;
  /**
   * Pass bytes between two connected sockets as `form` says, until it is handed over or left. Returns its handle, which never
   * comes twice, or 0 when there is no room or a socket cannot be watched.
   */
  enter(form: Float64Array): number;
  /** Touch the sockets no more and write into `form` how it stands; false when there is no such lane. */
  leave(lane: number, form: Float64Array): boolean;
  /** Write lane, payload bytes up and payload bytes down of each lane that has moved since; returns how many there were. */
  tally(out: Float64Array): number;
  /** As `RecordReader.unwrap`, on part of a buffer, with the state of the reader in `form`: what lanes do. */
  unwrap(form: Float64Array, buffer: Uint8Array, start: number, length: number): number;
}
