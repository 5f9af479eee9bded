/** Line charts as SVG, with a logarithmic x axis. */

export interface Series {
  name: string;
  points: [x: number, y: number][];
}

export interface Chart {
  title: string;
  x: string;
  y: string;
  series: Series[];
}

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 70;
const RIGHT = 20;
const TOP = 40;
const BOTTOM = 60;
const TICKS = 5;
const COLOURS = ['#1f6feb', '#d1242f', '#2da44e', '#8250df'];

export function lineChart({ title, x, y, series }: Chart): string {
  const all = series.flatMap(({ points }) => points);
  const xs = [...new Set(all.map(([value]) => value))].sort((a, b) => a - b);
  const top = niceTop(Math.max(...all.map(([, value]) => value)));
  const atX = scaleX(xs[0] ?? 1, xs.at(-1) ?? 1);
  const atY = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(WIDTH / 2, 20, title, 'middle'),
    text(WIDTH / 2, HEIGHT - 30, x, 'middle'),
    `<text x="16" y="${HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 16 ${HEIGHT / 2})">${escaped(y)}</text>`,
    ...Array.from({ length: TICKS + 1 }, (_, tick) => gridLine((top * tick) / TICKS, atY)),
    ...xs.map((value) => text(atX(value), HEIGHT - BOTTOM + 16, value.toLocaleString('en'), 'middle')),
    ...series.flatMap((each, at) => drawSeries(each, at, atX, atY)),
    '</svg>\n',
  ].join('\n');
}

function drawSeries({ name, points }: Series, at: number, atX: Scale, atY: Scale): string[] {
  const colour = COLOURS[at % COLOURS.length] ?? 'black';
  const places = points.map(([x, y]) => [atX(x).toFixed(1), atY(y).toFixed(1)] as const);
  const legend = LEFT + at * 150;
  return [
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${places.map((place) => place.join(',')).join(' ')}"/>`,
    ...places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>`),
    `<rect x="${legend}" y="${HEIGHT - 18}" width="10" height="10" fill="${colour}"/>`,
    text(legend + 15, HEIGHT - 9, name, 'start'),
  ];
}

type Scale = (value: number) => number;

function scaleX(least: number, greatest: number): Scale {
  const range = Math.log(greatest / least) || 1;
  return (value) => LEFT + (Math.log(value / least) / range) * (WIDTH - LEFT - RIGHT - 30);
}

function gridLine(value: number, atY: Scale): string {
  const y = atY(value).toFixed(1);
  const label = text(LEFT - 6, Number(y) + 4, value.toLocaleString('en', { maximumFractionDigits: 2 }), 'end');
  return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="#ddd"/>${label}`;
}

/** The next of 1, 2, 2.5, 5 times a power of ten. */
function niceTop(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5].find((step) => step * power >= value) ?? 10) * power;
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
