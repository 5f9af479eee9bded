import type { Random } from './client-hello.ts';

/** The smallest question that only a Telegram server answers: req_pq_multi, then resPQ with our nonce (protocol.md §6.5). */

const REQ_PQ_MULTI = 0xbe7e8ef1;
const RES_PQ = Buffer.from('63241605', 'hex');
const NONCE_BYTES = 16;
/** What is read before the answer is recognised: frame length, envelope, constructor and nonce. */
export const ANSWER_BYTES = 4 + 20 + 4 + NONCE_BYTES;

export interface Question {
  /** One frame of the padded-intermediate transport. */
  frame: Buffer;
  nonce: Buffer;
}

export function askForPq(random: Random, now: () => number): Question {
  const nonce = random(NONCE_BYTES);
  const message = Buffer.alloc(40);
  message.writeBigUInt64LE(BigInt(Math.floor(now() / 1000)) << 32n, 8);
  message.writeUInt32LE(20, 16);
  message.writeUInt32LE(REQ_PQ_MULTI, 20);
  nonce.copy(message, 24);
  const padding = random((random(1)[0] as number) % 16);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(message.length + padding.length);
  return { frame: Buffer.concat([length, message, padding]), nonce };
}

/** Whether the first `ANSWER_BYTES` of a stream are a resPQ to this nonce. */
export function answersPq(start: Buffer, nonce: Buffer): boolean {
  const length = start.readUInt32LE(0);
  return (
    length >= 40 &&
    length <= 256 &&
    start.subarray(24, 28).equals(RES_PQ) &&
    start.subarray(28, 28 + NONCE_BYTES).equals(nonce)
  );
}
