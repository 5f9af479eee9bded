import { maskSecrets } from './mask.ts';

export interface DiffLine {
  sign: '-' | '+';
  /** In the old text for `-`, in the new one for `+`, counted from 1. */
  line: number;
  text: string;
}

/** Above this many pairs of lines, what differs is shown as one block: finding the smallest change would cost too much. */
const MAX_PAIRS = 1_000_000;

/** The lines that two texts do not share, in order, with passwords masked. */
export function diffLines(before: string, after: string): DiffLine[] {
  const [old, young] = [splitLines(before), splitLines(after)];
  let head = 0;
  while (head < old.length && head < young.length && old[head] === young[head]) head++;
  let tail = 0;
  while (tail < old.length - head && tail < young.length - head && old.at(-1 - tail) === young.at(-1 - tail)) tail++;
  const kept = commonLines(old.slice(head, old.length - tail), young.slice(head, young.length - tail));
  const lines: DiffLine[] = [];
  let [i, j] = [head, head];
  for (const [keptOld, keptYoung] of [...kept, [old.length - tail - head, young.length - tail - head] as const]) {
    for (; i < head + keptOld; i++) lines.push({ sign: '-', line: i + 1, text: maskSecrets(old[i] ?? '') });
    for (; j < head + keptYoung; j++) lines.push({ sign: '+', line: j + 1, text: maskSecrets(young[j] ?? '') });
    [i, j] = [i + 1, j + 1];
  }
  return lines;
}

/** A difference as a person reads it. */
export function formatDiff(lines: DiffLine[]): string[] {
  const width = String(Math.max(0, ...lines.map(({ line }) => line))).length;
  return lines.map(({ sign, line, text }) => `${String(line).padStart(width)} ${sign} ${text}`.trimEnd());
}

/** Pairs of indexes of a longest common subsequence. */
function commonLines(old: string[], young: string[]): (readonly [number, number])[] {
  if (old.length * young.length > MAX_PAIRS) return [];
  const longest = Array.from({ length: old.length + 1 }, () => new Uint32Array(young.length + 1));
  const at = (i: number, j: number): number => longest[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    const row = longest[i];
    if (row === undefined) continue;
    for (let j = young.length - 1; j >= 0; j--) {
      row[j] = old[i] === young[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < old.length && j < young.length;) {
    if (old[i] === young[j]) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}

function splitLines(text: string): string[] {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}
