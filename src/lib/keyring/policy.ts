import { loadConfig } from '../config/load.ts';
import type { Settings } from '../config/schema.ts';
import { EXIT, MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';
import { type Algorithm, isLongEnough } from './algorithms.ts';
import { readKeyring } from './keyring.ts';

type Crypto = Settings['crypto'];

/** How a file is to be sealed: as asked for where the settings permit it, else as they say. */
export async function sealingOf(
  paths: Pick<Paths, 'configFile'>,
  asked: { algorithm?: Algorithm | undefined; cost?: number | undefined },
): Promise<{ algorithm: Algorithm; cost: number }> {
  const crypto = await readCrypto(paths);
  const { algorithm = crypto.algorithm, cost = crypto.kdf_cost } = asked;
  return { algorithm: permitted(algorithm, crypto), cost };
}

/** The cipher of a new key of the keyring; undefined for the one that it has. */
export async function rotationCipher(
  paths: Pick<Paths, 'configFile' | 'keyringFile'>,
  asked: Algorithm | undefined,
): Promise<Algorithm | undefined> {
  const crypto = await readCrypto(paths);
  if (asked !== undefined) return permitted(asked, crypto);
  const present = (await readKeyring(paths.keyringFile))?.at(-1)?.algorithm;
  return present === undefined || isLongEnough(present, crypto.least_key_bits) ? undefined : crypto.algorithm;
}

async function readCrypto({ configFile }: Pick<Paths, 'configFile'>): Promise<Crypto> {
  return (await loadConfig({ file: configFile, env: process.env })).settings.crypto;
}

function permitted(algorithm: Algorithm, { least_key_bits: bits }: Crypto): Algorithm {
  if (isLongEnough(algorithm, bits)) return algorithm;
  throw new MtpError('ALGORITHM_REFUSED', `${algorithm} has a shorter key than crypto.least_key_bits, ${bits}`, {
    exit: EXIT.precondition,
    hint: 'Take another, or permit it with: mtp config set crypto.least_key_bits 128',
  });
}
