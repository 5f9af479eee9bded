/** Files, and lines for sh that run in their directory. Running them twice is as running them once. */
export interface Script {
  files: Record<string, string>;
  lines: string[];
}

export function joinScripts(scripts: readonly Script[]): Script {
  return {
    files: Object.fromEntries(scripts.flatMap(({ files }) => Object.entries(files))),
    lines: scripts.flatMap(({ lines }) => lines),
  };
}

/** A word for sh that stands for itself. */
export function quoteSh(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
