import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Accelerator } from '../protocol/ctr.ts';
import { packageUrl } from './module-url.ts';
import { FORM, FORM_PLACES, type NativeLanes } from './native-lanes.ts';

/** Where `src/native/build.js` leaves the addon. */
const FILE = fileURLToPath(packageUrl('src/native/accelerator.node'));

/** Four blocks of NIST SP 800-38A, F.5.5 (CTR-AES256.Encrypt). */
const KEY = Buffer.from('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', 'hex');
const COUNTER = Buffer.from('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', 'hex');
const PLAIN = Buffer.from(
  '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
    '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
  'hex',
);
const SEALED = Buffer.from(
  '601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5' +
    '2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6',
  'hex',
);
/** A record, a change-cipher-spec and another record, from RFC 8446 §5.1 with the version that TLS 1.3 writes. */
const RECORDS = Buffer.from('170303000361626314030300010117030300026465', 'hex');

/** A place inside the second block, where the self-test cuts. */
const CUT = 21;
const CUT_COUNTER = Buffer.from('f0f1f2f3f4f5f6f7f8f9fafbfcfdff00', 'hex');

interface NativeMemory {
  /** Give the system the memory that is free in this process: milliseconds, in which no thread can have more. */
  trim(): void;
}

/** The cipher, and lanes and the rest where the system has what they need. */
export type NativeAccelerator = Accelerator & Partial<NativeLanes & NativeMemory>;

/**
 * The accelerator of this thread, or null where it is turned off or not built. One that cannot be used is null too, and
 * `refused` hears why.
 */
export function loadAccelerator(refused: (reason: string) => void, file = FILE): NativeAccelerator | null {
  if (process.env.MTP_ACCELERATOR === 'off' || !existsSync(file)) return null;
  try {
    const loaded = createRequire(import.meta.url)(file) as NativeAccelerator;
    if (!isRight(loaded)) refused('it does not compute AES-256-CTR');
    else if (!unwraps(loaded)) refused('it does not read TLS records');
    else return loaded;
  } catch (error) {
    refused(error instanceof Error ? error.message : String(error));
  }
  return null;
}

/** Whether every function does what it is for, on vectors that are not our own. */
function isRight(loaded: Accelerator): boolean {
  const data = Buffer.from(PLAIN);
  const handle = loaded.open(KEY, COUNTER, 0);
  const sealed =
    loaded.apply(handle, data, 0, CUT) &&
    loaded.apply(handle, data, CUT, data.length - CUT) &&
    data.equals(SEALED) &&
    handle !== 0;
  loaded.close(handle);
  const from = loaded.open(KEY, CUT_COUNTER, CUT % 16);
  const to = loaded.open(KEY, CUT_COUNTER, CUT % 16);
  const resumed = loaded.apply(from, data, CUT, data.length - CUT) && data.subarray(CUT).equals(PLAIN.subarray(CUT));
  loaded.close(from);
  const again = loaded.open(KEY, CUT_COUNTER, CUT % 16);
  const same =
    loaded.recrypt(again, to, data, CUT, data.length - CUT) && data.subarray(CUT).equals(PLAIN.subarray(CUT));
  loaded.close(again);
  loaded.close(to);
  return sealed && resumed && same && !loaded.apply(handle, data, 0, 1) && !loaded.recrypt(again, to, data, 0, 1);
}

/** Whether lanes, where there are any, take records apart wherever they are cut. */
function unwraps({ unwrap }: NativeAccelerator): boolean {
  if (unwrap === undefined) return true;
  return Array.from({ length: RECORDS.length }, (_, cut) => cut).every((cut) => {
    const form = new Float64Array(FORM_PLACES);
    const data = Buffer.from(RECORDS);
    const first = unwrap(form, data, 0, cut);
    const second = unwrap(form, data, cut, data.length - cut);
    const stream = data.toString('latin1', 0, first) + data.toString('latin1', cut, cut + second);
    return stream === 'abcde' && form[FORM.records] === 0;
  });
}
