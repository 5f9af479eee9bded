import { createSecretKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { EXIT, MtpError } from '../errors.ts';
import { fileError } from '../system/files.ts';

/** The key of a digest in a file, or from standard input for `-`: 64 hex digits. */
export async function readDigestKey(file: string): Promise<KeyObject> {
  const given = file === '-' ? await text(process.stdin) : await readText(file);
  if (!/^[0-9a-f]{64}$/i.test(given.trim())) {
    throw new MtpError('KEY_INVALID', 'the key of a digest has 64 hex digits', {
      exit: EXIT.usage,
      hint: 'Make one with: openssl rand -hex 32',
    });
  }
  return createSecretKey(Buffer.from(given.trim(), 'hex'));
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw fileError('read', file, error);
  }
}
