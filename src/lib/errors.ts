/** Exit statuses, the same for every command; documented in docs/exit-statuses.md. */
export const EXIT = {
  ok: 0,
  failed: 1,
  warnings: 2,
  audit: 3,
  needsRoot: 4,
  precondition: 5,
  rolledBack: 6,
  usage: 64,
  temporary: 75,
  interrupted: 130,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

export interface MtpErrorOptions {
  /** What the operator can do about it, one sentence. */
  hint?: string;
  exit?: ExitStatus;
  cause?: unknown;
}

/** An error that the operator can act on: a stable code, what happened and where, what to do, and an exit status. */
export class MtpError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly exit: ExitStatus;

  constructor(code: string, message: string, options: MtpErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MtpError';
    this.code = code;
    this.hint = options.hint;
    this.exit = options.exit ?? EXIT.failed;
  }
}

/** The system error code (`ENOENT`, `EACCES`, …) of an unknown error, if it has one. */
export function errnoCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
