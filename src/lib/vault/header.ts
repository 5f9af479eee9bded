import { EXIT, MtpError } from '../errors.ts';
import { type Algorithm, ALGORITHMS, CIPHERS } from '../keyring/algorithms.ts';
import { COST } from './cost.ts';

/**
 * What stands before the chunks of a sealed file (docs/vault.md). All of it is authenticated with every chunk.
 *
 *   "MTPV" 4 · version 1 · algorithm 1 · key derivation 1 · log2 of its cost 1 · salt 32 · nonce prefix 16 · length of the
 *   labels 2 · labels: JSON in UTF-8
 */
export interface VaultHeader {
  algorithm: Algorithm;
  /** log2 of the N of scrypt (RFC 7914); r is 8, p is 1. */
  cost: number;
  /** 32 bytes. */
  salt: Buffer;
  /** 16 random bytes that make nonces differ from file to file. */
  prefix: Buffer;
  /** What the file is for, in the clear. */
  labels: Record<string, string>;
}

const MAGIC = Buffer.from('MTPV');
const VERSION = 1;
/** scrypt, the only key derivation so far. */
const SCRYPT = 1;
const FIXED_BYTES = 58;
const LABEL_BYTES_MAX = 4096;

export function writeHeader({ algorithm, cost, salt, prefix, labels }: VaultHeader): Buffer {
  const text = Buffer.from(JSON.stringify(labels));
  if (text.length > LABEL_BYTES_MAX) {
    throw new MtpError('LABELS_LONG', `the labels take ${text.length} bytes, and ${LABEL_BYTES_MAX} is the most`, {
      exit: EXIT.usage,
    });
  }
  const numbers = Buffer.from([VERSION, CIPHERS[algorithm].number, SCRYPT, cost]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return Buffer.concat([MAGIC, numbers, salt, prefix, length, text]);
}

/** The header at the start of a file and its length; an error message where there is none that we can use. */
export function readHeader(bytes: Buffer): { header: VaultHeader; length: number } | string {
  if (bytes.length < FIXED_BYTES || !bytes.subarray(0, 4).equals(MAGIC)) return 'it was not sealed by mtp';
  const [version, number, kdf, cost = 0] = bytes.subarray(4, 8);
  const algorithm = ALGORITHMS.find((name) => CIPHERS[name].number === number);
  if (version !== VERSION || kdf !== SCRYPT || algorithm === undefined)
    return 'it was sealed by a newer version of mtp';
  if (cost < COST.least || cost > COST.most) return 'its header was changed';
  const length = FIXED_BYTES + bytes.readUInt16BE(FIXED_BYTES - 2);
  const labels = length > FIXED_BYTES + LABEL_BYTES_MAX ? undefined : parseLabels(bytes.subarray(FIXED_BYTES, length));
  if (labels === undefined || bytes.length < length) return 'its header was changed';
  return { header: { algorithm, cost, salt: bytes.subarray(8, 40), prefix: bytes.subarray(40, 56), labels }, length };
}

/** As many bytes as a header can have. */
export const HEADER_BYTES_MAX = FIXED_BYTES + LABEL_BYTES_MAX;

function parseLabels(bytes: Buffer): Record<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    const fits = typeof value === 'object' && value !== null && !Array.isArray(value);
    return fits && Object.values(value).every((one) => typeof one === 'string')
      ? (value as Record<string, string>)
      : undefined;
  } catch {
    return undefined;
  }
}
