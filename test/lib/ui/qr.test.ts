import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { create } from 'qrcode';
import { describe, expect, test } from 'vitest';
import { drawQr, qrStyle, type QrStyle } from '../../../src/lib/ui/qr.ts';

const LINK = `tg://proxy?server=proxy.example.com&port=443&secret=ee${'5a'.repeat(16)}${Buffer.from('www.example.com').toString('hex')}`;
const QUIET = 4;
const STYLES: QrStyle[] = [
  { charset: 'blocks', color: true },
  { charset: 'blocks', color: false },
  { charset: 'ascii', color: true },
  { charset: 'ascii', color: false },
];

/** What a terminal with light text on black shows: one row of booleans, dark true, for every line of modules. */
function look(lines: string[], { charset, color }: QrStyle): boolean[][] {
  if (charset === 'ascii') {
    return lines.map((line) =>
      color
        ? [...line.matchAll(/\[(40|107)m {2}/g)].map(([, background]) => background === '40')
        : [...line.matchAll(/(..)/g)].map(([, cell]) => cell === '  '),
    );
  }
  return lines.flatMap((line) => {
    const cells = Array.from(stripVTControlCharacters(line));
    return ['▀█', '▄█'].map((inked) => cells.map((cell) => inked.includes(cell) === color));
  });
}

/** A portable bitmap (PBM, 1 is black) of eight pixels a module. */
function bitmap(modules: boolean[][]): string {
  const wide = modules.map((row) => row.flatMap((dark) => Array<string>(8).fill(dark ? '1' : '0')).join(' '));
  const rows = wide.flatMap((row) => Array<string>(8).fill(row));
  return `P1\n${(modules[0]?.length ?? 0) * 8} ${modules.length * 8}\n${rows.join('\n')}\n`;
}

describe('drawQr', () => {
  test.each(STYLES)('shows every module with a quiet zone around: %j', async (style) => {
    const { lines, columns } = await drawQr(LINK, style);
    const seen = look(lines, style);
    const { size, data } = create(LINK, { errorCorrectionLevel: 'L' }).modules;
    expect(seen.every((row) => row.length === size + 2 * QUIET)).toBe(true);
    expect(lines.every((line) => stripVTControlCharacters(line).length === columns)).toBe(true);
    for (const [y, row] of seen.entries()) {
      for (const [x, dark] of row.entries()) {
        const [my, mx] = [y - QUIET, x - QUIET];
        const inside = my >= 0 && mx >= 0 && my < size && mx < size;
        if (dark !== (inside && data[my * size + mx] === 1)) expect.fail(`module ${mx},${my} is wrong`);
      }
    }
    expect(seen.length).toBeGreaterThanOrEqual(size + 2 * QUIET);
  });

  test.runIf(spawnSync('zbarimg', ['--version']).status === 0).each(STYLES)('zbarimg reads it: %j', async (style) => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'mtp-qr-'));
    try {
      const file = path.join(dir, 'qr.pbm');
      writeFileSync(file, bitmap(look((await drawQr(LINK, style)).lines, style)));
      expect(execFileSync('zbarimg', ['--quiet', '--raw', file], { encoding: 'utf8', stdio: 'pipe' }).trim()).toBe(
        LINK,
      );
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('a link with a long domain still fits 80 columns in half blocks', async () => {
    const long = `${LINK}${'61'.repeat(30)}`;
    expect((await drawQr(long, { charset: 'blocks', color: true })).columns).toBeLessThanOrEqual(80);
  });
});

describe('qrStyle', () => {
  const pipe = new PassThrough() as unknown as NodeJS.WriteStream;

  test.each<[NodeJS.ProcessEnv, QrStyle['charset']]>([
    [{ LANG: 'en_US.UTF-8' }, 'blocks'],
    [{ LANG: 'C.utf8' }, 'blocks'],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'C' }, 'ascii'],
    [{ LC_ALL: '', LC_CTYPE: 'POSIX', LANG: 'C.UTF-8' }, 'ascii'],
    [{}, 'ascii'],
  ])('%j means %s', (env, charset) => {
    expect(qrStyle(pipe, env).charset).toBe(charset);
  });

  test('a pipe gets no colours', () => {
    expect(qrStyle(pipe, { LANG: 'C.UTF-8' }).color).toBe(false);
  });
});
