/** What a program did. */
export interface Ran {
  /** Exit status; null where it was ended by a signal, or is not there at all. */
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program without a shell. Never rejects: a program that is missing has status null. */
export type Exec = (program: string, args: readonly string[]) => Promise<Ran>;

const LONGEST_MS = 30_000;

export const exec: Exec = async (program, args) => {
  const { execa } = await import('execa');
  const { exitCode, stdout, stderr, shortMessage } = await execa(program, args, {
    reject: false,
    timeout: LONGEST_MS,
    stdin: 'ignore',
    env: { LC_ALL: 'C' },
  });
  return { status: exitCode ?? null, stdout, stderr: exitCode === undefined ? (shortMessage ?? '') : stderr };
};

/** The last line that a program wrote about what went wrong. */
export function lastWords({ stdout, stderr, status }: Ran): string {
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim());
  return lines.findLast((line) => line !== '') ?? `exit status ${status ?? 'unknown'}`;
}
