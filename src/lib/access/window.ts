import { offsetAt } from './zone.ts';

/**
 * Times that come again every week, by the clock on the wall: open whenever that shows a time within. What a change to summer
 * time leaves out is never open; an hour that comes twice is open twice.
 */
export interface Window {
  /** Bit 0 is Monday. */
  days: number;
  /** Minutes of the day, 0 to 1439. */
  from: number;
  /** The first minute behind it, 1 to 1440; one that is not after `from` is on the day after. */
  to: number;
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const EVERY_DAY = 0b1111111;
const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
const DAY_MS = DAY_MINUTES * MINUTE_MS;
/** Of two weeks on end a change of clocks can swallow a time in one only. */
const AHEAD_DAYS = 22;

/** `mon-fri 09:00-17:00`, `sat,sun 22:00-06:00`, `daily 01:00-24:00`; null when it is none. */
export function parseWindow(text: string): Window | null {
  const match = /^([a-z,-]+)\s+(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(text.trim().toLowerCase());
  const [, days = '', fromHour, fromMinute, toHour, toMinute] = match ?? [];
  const from = minutes(fromHour, fromMinute);
  const to = minutes(toHour, toMinute);
  const mask = parseDays(days);
  if (mask === null || from === null || to === null || from === DAY_MINUTES || to === 0 || from === to) return null;
  return { days: mask, from, to };
}

export function formatWindow({ days, from, to }: Window): string {
  return `${formatDays(days)} ${clock(from)}-${clock(to)}`;
}

/** Whether any of the windows is open at a Unix time in ms. */
export function isOpen(windows: readonly Window[], zone: string, at: number): boolean {
  const wall = at + offsetAt(zone, at);
  const day = Math.floor(wall / DAY_MS);
  const minute = Math.floor((wall - day * DAY_MS) / MINUTE_MS);
  return windows.some((window) => {
    const overnight = window.to <= window.from;
    if (has(window, day) && minute >= window.from && (overnight || minute < window.to)) return true;
    return overnight && has(window, day - 1) && minute < window.to;
  });
}

/** When that is next something else, Unix ms; null where it stays. */
export function nextTurn(windows: readonly Window[], zone: string, now: number): number | null {
  const open = isOpen(windows, zone, now);
  return candidates(windows, zone, now).find((at) => isOpen(windows, zone, at) !== open) ?? null;
}

/** The times at which anything can change, in order: the edges of windows, and changes of the clocks. */
function candidates(windows: readonly Window[], zone: string, now: number): number[] {
  const today = Math.floor((now + offsetAt(zone, now)) / DAY_MS);
  const edges = new Set(windows.flatMap(({ from, to }) => [from, to]));
  const found = new Set<number>();
  for (let day = today - 1; day <= today + AHEAD_DAYS; day++) {
    const midnight = day * DAY_MS;
    const before = offsetAt(zone, midnight - DAY_MS);
    const after = offsetAt(zone, midnight + 2 * DAY_MS);
    if (before !== after) found.add(clockChange(zone, midnight - DAY_MS, midnight + 2 * DAY_MS));
    for (const edge of edges) for (const offset of [before, after]) found.add(midnight + edge * MINUTE_MS - offset);
  }
  return [...found].filter((at) => at > now).sort((a, b) => a - b);
}

/** The first ms at which the clocks of a zone show what they show at `to`. */
function clockChange(zone: string, from: number, to: number): number {
  const wanted = offsetAt(zone, to);
  let [before, after] = [from, to];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(zone, middle) === wanted) after = middle;
    else before = middle;
  }
  return after;
}

/** The 1st of January 1970 was a Thursday. */
function has({ days }: Window, day: number): boolean {
  return ((days >> ((((day + 3) % 7) + 7) % 7)) & 1) === 1;
}

function parseDays(text: string): number | null {
  if (text === 'daily') return EVERY_DAY;
  let mask = 0;
  for (const part of text.split(',')) {
    const [first, last, ...rest] = part.split('-').map((name) => DAYS.findIndex((day) => day === name));
    if (first === undefined || first < 0 || (last !== undefined && last < 0) || rest.length > 0) return null;
    // A range may go over the end of the week, as sat-mon.
    for (let at = first; ; at = (at + 1) % 7) {
      mask |= 1 << at;
      if (at === (last ?? first)) break;
    }
  }
  return mask;
}

function formatDays(mask: number): string {
  if (mask === EVERY_DAY) return 'daily';
  const parts: string[] = [];
  for (let first = 0; first < 7; first++) {
    if (((mask >> first) & 1) === 0) continue;
    let last = first;
    while (last < 6 && ((mask >> (last + 1)) & 1) === 1) last++;
    parts.push(...(last - first > 1 ? [`${DAYS[first]}-${DAYS[last]}`] : DAYS.slice(first, last + 1)));
    first = last;
  }
  return parts.join(',');
}

function minutes(hour = '', minute = ''): number | null {
  const all = Number(hour) * 60 + Number(minute);
  return hour === '' || Number(minute) > 59 || all > DAY_MINUTES ? null : all;
}

function clock(all: number): string {
  return [Math.floor(all / 60), all % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
