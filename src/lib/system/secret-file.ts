import { readFile } from 'node:fs/promises';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { fileError, writeAtomic } from './files.ts';

/** Write something that only its owner may read; a file that is there and says something else needs `force`. */
export async function writeSecretFile(file: string, data: string | Uint8Array, force: boolean): Promise<void> {
  if (!force) await refuseOther(file, data);
  await writeAtomic(file, data, 0o600);
}

async function refuseOther(file: string, data: string | Uint8Array): Promise<void> {
  const present = await readFile(file).catch((error: unknown) => {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw fileError('read', file, error);
  });
  if (present === undefined || present.equals(Buffer.from(data))) return;
  throw new MtpError('FILE_EXISTS', `${file} is there already and says something else`, {
    exit: EXIT.precondition,
    hint: 'Choose another name, or replace it with --force.',
  });
}
