import path from 'node:path';
import { usage } from '../secret/make.ts';
import { writeSecretFile } from '../system/secret-file.ts';

/** Pixels of a module, so that a QR code with a long domain prints well at the width of a hand. */
const SCALE = 10;
const OPTIONS = { errorCorrectionLevel: 'M', margin: 4 } as const;

/** A text as the QR code of an SVG file. */
export async function qrSvg(text: string): Promise<string> {
  const { toString } = await import('qrcode');
  return toString(text, { ...OPTIONS, type: 'svg' });
}

/** Write the QR code of a link into an .svg or .png file that only its owner reads. */
export async function writeQrFile(text: string, file: string, force: boolean): Promise<void> {
  const extension = path.extname(file).toLowerCase();
  if (extension === '.svg') return writeSecretFile(file, await qrSvg(text), force);
  if (extension !== '.png') throw usage(`${file} is neither an .svg nor a .png file`);
  const { toBuffer } = await import('qrcode');
  return writeSecretFile(file, await toBuffer(text, { ...OPTIONS, scale: SCALE }), force);
}
