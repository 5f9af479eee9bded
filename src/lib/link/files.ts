import path from 'node:path';
import { usage } from '../secret/make.ts';
import { writeSecretFile } from '../system/secret-file.ts';
import { writeQrFile } from './qr-file.ts';
import { renderSheet, type SheetFacts } from './sheet.ts';

export interface WantedFiles {
  /** For the QR code. */
  out?: string | undefined;
  sheet?: string | undefined;
  force: boolean;
}

/** Write the files that are wanted of a link; returns their paths. */
export async function writeLinkFiles(facts: SheetFacts, { out, sheet, force }: WantedFiles): Promise<string[]> {
  if (sheet !== undefined && !/\.html?$/i.test(sheet)) throw usage(`${sheet} is no .html file`);
  const files: string[] = [];
  if (out !== undefined) {
    await writeQrFile(facts.link.tg, path.resolve(out), force);
    files.push(path.resolve(out));
  }
  if (sheet !== undefined) {
    await writeSecretFile(path.resolve(sheet), await renderSheet(facts), force);
    files.push(path.resolve(sheet));
  }
  return files;
}
