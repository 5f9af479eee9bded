/** log2 of the N of scrypt: 32 MB of memory at least, 1 GB at most. */
export const COST = { least: 15, usual: 17, most: 20 } as const;

/** The other numbers of scrypt (RFC 7914). */
export const SCRYPT_R = 8;
export const SCRYPT_P = 1;

/** Memory that one try of a passphrase takes. */
export function costBytes(cost: number): number {
  return 128 * 2 ** cost * SCRYPT_R;
}
