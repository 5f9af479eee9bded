import { closeSync, writeSync } from 'node:fs';
import { fileError } from '../../lib/system/files.ts';
import { openLog } from '../../lib/system/log-file.ts';

/** A log file that can be opened anew after it was moved away. A line is in the file when `write` returns. */
export class LogFile {
  readonly #file: string;
  #fd: number;

  constructor(file: string) {
    this.#file = file;
    this.#fd = open(file);
  }

  write(line: string): void {
    writeSync(this.#fd, line);
  }

  /** Go on in a file of the same name; the old one stays open where that fails. */
  reopen(): void {
    const before = this.#fd;
    this.#fd = open(this.#file);
    closeSync(before);
  }
}

function open(file: string): number {
  try {
    return openLog(file);
  } catch (error) {
    throw fileError('open the log', file, error);
  }
}
