import { paint } from './paint.ts';

export interface QrStyle {
  /** Half blocks where the locale is UTF-8, else two ASCII characters a module. */
  charset: 'blocks' | 'ascii';
  /** Black on white by escape codes, right on any terminal; without, right where text is light on dark. */
  color: boolean;
}

/** Four light modules on every side (ISO/IEC 18004). */
const QUIET = 4;
const BLACK_ON_WHITE = '\u001B[30;107m';
const WHITE_CELL = '\u001B[107m';
const BLACK_CELL = '\u001B[40m';
const RESET = '\u001B[0m';

/** How a stream shows a QR code, by its colours and the locale of the environment. */
export function qrStyle(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): QrStyle {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '') ?? '';
  return { charset: /utf-?8/i.test(locale) ? 'blocks' : 'ascii', color: paint(stream, env).level > 0 };
}

/** A text as the lines of a QR code with the least error correction, so that a link fits a small terminal. */
export async function drawQr(text: string, style: QrStyle): Promise<{ lines: string[]; columns: number }> {
  const { create } = await import('qrcode/lib/core/qrcode.js');
  const { size, data } = create(text, { errorCorrectionLevel: 'L' }).modules;
  const span = size + 2 * QUIET;
  const isDark = (row: number, column: number): boolean => {
    const [y, x] = [row - QUIET, column - QUIET];
    return y >= 0 && x >= 0 && y < size && x < size && data[y * size + x] === 1;
  };
  const draw = style.charset === 'blocks' ? drawBlocks : drawAscii;
  return { lines: draw(span, isDark, style.color), columns: style.charset === 'blocks' ? span : 2 * span };
}

type Modules = (row: number, column: number) => boolean;

/** Two modules a character. In colour the ink is dark modules, else light ones; the row below the last is light. */
function drawBlocks(span: number, isDark: Modules, color: boolean): string[] {
  return rows(Math.ceil(span / 2), (line) => {
    const cells = rows(span, (column) => {
      const upper = isDark(2 * line, column) === color;
      const lower = isDark(2 * line + 1, column) === color;
      return upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ';
    }).join('');
    return color ? `${BLACK_ON_WHITE}${cells}${RESET}` : cells;
  });
}

function drawAscii(span: number, isDark: Modules, color: boolean): string[] {
  return rows(span, (row) => {
    const cells = rows(span, (column) => {
      if (color) return `${isDark(row, column) ? BLACK_CELL : WHITE_CELL}  `;
      return isDark(row, column) ? '  ' : '##';
    }).join('');
    return color ? `${cells}${RESET}` : cells;
  });
}

function rows(count: number, draw: (at: number) => string): string[] {
  return Array.from({ length: count }, (_, at) => draw(at));
}
