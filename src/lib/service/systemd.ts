import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { UNIT } from './target.ts';

const run = promisify(execFile);

/** Have systemd do something with our unit; resolves when it has. */
export async function systemctl(...words: string[]): Promise<void> {
  try {
    await run('systemctl', [...words, UNIT]);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') {
      throw new MtpError('SYSTEMCTL', 'systemctl is not installed', { exit: EXIT.precondition, cause: error });
    }
    const said = ((error as { stderr?: string }).stderr ?? '').trim();
    const [line = 'no reason given'] = said.split('\n');
    throw new MtpError('SYSTEMCTL', `systemctl ${words.join(' ')} ${UNIT} failed: ${line}`, {
      exit: /denied|authentication/i.test(said) ? EXIT.needsRoot : EXIT.failed,
      hint: 'See what the proxy said with: mtp logs',
      cause: error,
    });
  }
}

/** The newest lines of the journal of our unit. */
export async function journalLines(count: number): Promise<string[]> {
  const { stdout } = await run('journalctl', [
    '--unit',
    UNIT,
    '--lines',
    String(count),
    '--output',
    'cat',
    '--no-pager',
  ]);
  return stdout.split('\n').filter((line) => line !== '');
}
