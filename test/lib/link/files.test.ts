import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeLinkFiles } from '../../../src/lib/link/files.ts';
import { formatLinks } from '../../../src/lib/link/link.ts';
import { renderSheet, type SheetFacts } from '../../../src/lib/link/sheet.ts';

const KEY = Buffer.from('3acad049c267582aea157109ea935790', 'hex');
const LINKS = formatLinks({
  server: 'proxy.example.com',
  port: 8443,
  secret: { mode: 'ee', key: KEY, domain: 'www.example.org' },
});
const SECRET = `ee${KEY.toString('hex')}${Buffer.from('www.example.org').toString('hex')}`;
const FACTS: SheetFacts = {
  name: 'bob',
  server: 'proxy.example.com',
  port: 8443,
  link: { mode: 'ee', secret: SECRET, tg: LINKS.tg, https: LINKS.https },
};
const CHROMIUM = '/usr/bin/chromium';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-files-'));
});
afterEach(async () => rm(dir, { recursive: true }));

/** A portable bitmap of the path that an SVG file draws, eight pixels a module. */
function rasterise(svg: string): string {
  const size = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1]);
  const grid = Array.from({ length: size }, () => Array<string>(size).fill('0'));
  let [x, y] = [0, 0];
  for (const [, step, a, b] of (/ stroke="[^"]*" d="(M[^"]+)"/.exec(svg)?.[1] ?? '').matchAll(
    /([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?/g,
  )) {
    if (step === 'M') [x, y] = [Number(a), Number(b)];
    else if (step === 'm') [x, y] = [x + Number(a), y + Number(b)];
    else for (const end = x + Number(a); x < end; x += 1) grid[Math.floor(y)]?.splice(x, 1, '1');
  }
  const rows = grid.map((row) => row.flatMap((bit) => Array<string>(8).fill(bit)).join(' '));
  return `P1\n${size * 8} ${size * 8}\n${rows.flatMap((row) => Array<string>(8).fill(row)).join('\n')}\n`;
}

const decode = (file: string): string =>
  execFileSync('zbarimg', ['--quiet', '--raw', file], { encoding: 'utf8', stdio: 'pipe' }).trim();

describe.skipIf(spawnSync('zbarimg', ['--version']).status !== 0)('a scanner reads the link', () => {
  it('from the PNG file', async () => {
    const out = path.join(dir, 'bob.png');
    expect(await writeLinkFiles(FACTS, { out, force: false })).toEqual([out]);
    expect(decode(out)).toBe(LINKS.tg);
  });

  it('from the SVG file, and from the one in the sheet', async () => {
    const [out, sheet] = [path.join(dir, 'bob.svg'), path.join(dir, 'bob.html')];
    await writeLinkFiles(FACTS, { out, sheet, force: false });
    for (const file of [out, sheet]) {
      const bitmap = path.join(dir, 'seen.pbm');
      await writeFile(bitmap, rasterise(await readFile(file, 'utf8')));
      expect(decode(bitmap)).toBe(LINKS.tg);
    }
  });

  it.skipIf(!existsSync(CHROMIUM))('from the sheet as a browser shows it', { timeout: 60_000 }, async () => {
    const [sheet, shot] = [path.join(dir, 'bob.html'), path.join(dir, 'bob.png')];
    await writeLinkFiles(FACTS, { sheet, force: false });
    const args = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      `--user-data-dir=${dir}/profile`,
      '--window-size=900,1200',
    ];
    execFileSync(CHROMIUM, [...args, `--screenshot=${shot}`, pathToFileURL(sheet).href], { stdio: 'pipe' });
    expect(decode(shot)).toBe(LINKS.tg);
  });
});

describe('the sheet', () => {
  it('is one file that loads nothing and runs nothing', async () => {
    const html = await renderSheet(FACTS);
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(html).not.toMatch(/<(script|link|img|iframe|object|form)\b|\b(src|action)=|@import|url\(/i);
    expect([...html.matchAll(/href="([^"]*)"/g)].map(([, to = '']) => to.replaceAll('&amp;', '&'))).toEqual([
      LINKS.tg,
      LINKS.tg,
    ]);
  });

  it('has the link, what to type by hand, and the steps', async () => {
    const html = await renderSheet(FACTS);
    for (const part of [
      '>bob<',
      '<code>proxy.example.com</code>',
      '<code>8443</code>',
      SECRET,
      'On a phone',
      'On a computer',
    ]) {
      expect(html.replaceAll('Telegram proxy for bob<', '>bob<')).toContain(part);
    }
    expect(html).not.toContain('{{');
  });

  it('shows names as they are', async () => {
    const html = await renderSheet({ ...FACTS, name: `<b>"o'k" & $&</b>` });
    expect(html).toContain('for &lt;b&gt;&quot;o&#39;k&quot; &amp; $&amp;&lt;/b&gt;');
    expect(html).not.toContain('<b>"');
  });
});
