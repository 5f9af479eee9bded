import { nearest } from '../config/nearest.ts';
import { EXIT, MtpError } from '../errors.ts';
import { type ErrorPage, PAGES } from './pages.ts';

export interface Explanation extends ErrorPage {
  /** As it was asked for. */
  code: string;
}

/** The page of a code; codes that end in what the operating system said share one. */
export function explain(code: string): Explanation {
  const wanted = code.toUpperCase();
  const family = Object.keys(PAGES)
    .filter((name) => name.endsWith('*') && wanted.startsWith(name.slice(0, -1)))
    .sort((one, other) => other.length - one.length)[0];
  const page = PAGES[wanted] ?? PAGES[isErrno(wanted) ? 'E*' : family === 'E*' ? '' : (family ?? '')];
  if (page !== undefined) return { code: wanted, ...page };
  const meant = nearest(wanted, Object.keys(PAGES));
  throw new MtpError('CODE_UNKNOWN', `there is no error ${JSON.stringify(code.slice(0, 60))}`, {
    exit: EXIT.usage,
    hint: meant === undefined ? 'See all of them with: mtp explain' : `Did you mean: mtp explain ${meant}`,
  });
}

/** Codes of errno(3) have no underscore. */
function isErrno(code: string): boolean {
  return /^E[A-Z0-9]+$/.test(code);
}

/** The first things to look at when something does not work, in their order. */
export const TROUBLESHOOTING: readonly { look: string; for: string }[] = [
  { look: 'mtp status', for: 'whether it runs, whether Telegram answers, and whether the cover does' },
  { look: 'mtp logs', for: 'what it said last' },
  { look: 'mtp config test', for: 'whether the configuration is valid' },
  { look: 'mtp config list', for: 'where each setting comes from; a variable counts before the file' },
  { look: 'mtp user show NAME', for: 'whether somebody is disabled, expired, or over a limit or quota' },
  { look: 'mtp secret rotations', for: 'who still uses a secret that was replaced' },
  { look: 'mtp link NAME', for: 'whether the link has the address and port that the outside sees' },
  { look: 'mtp explain CODE', for: 'what an error means; its code is in the output of --json' },
];

/** docs/errors.md. */
export function errorsPage(): string {
  const sections = Object.entries(PAGES).map(
    ([code, { means, why, todo }]) => `## ${code.replace('*', '\\*')}\n\n${means} ${why}\n\n${asCode(todo)}`,
  );
  const steps = TROUBLESHOOTING.map(({ look, for: why }) => `- \`${look}\`: ${why}`);
  return `${[
    '# Errors',
    'When something does not work, look in this order:',
    steps.join('\n'),
    'Every error has a code, which `--json` shows. `mtp explain CODE` prints what stands here, and `mtp explain` all codes. A `*` stands for what the operating system said.',
    ...sections,
  ].join('\n\n')}\n`;
}

function asCode(text: string): string {
  return text.replace(/"(mtp [^"]+)"/g, '`$1`');
}
