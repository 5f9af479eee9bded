import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { UNIT } from './target.ts';

const run = promisify(execFile);

/** Have systemd do something with our unit; resolves when it has. */
export async function systemctl(...words: string[]): Promise<void> {
  await ask([...words, UNIT]);
}

/** Have systemd read our unit anew, and start it whenever the machine starts. */
export async function enableUnit(): Promise<void> {
  await ask(['daemon-reload']);
  await systemctl('enable');
}

/** Have systemd end our unit and forget to start it; one that it does not know is no error. */
export async function disableUnit(): Promise<void> {
  try {
    await systemctl('disable', '--now');
  } catch (error) {
    if (!(error instanceof MtpError && /not loaded|does not exist/.test(error.message))) throw error;
  }
}

async function ask(args: string[]): Promise<void> {
  try {
    await run('systemctl', args);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') {
      throw new MtpError('SYSTEMCTL', 'systemctl is not installed', { exit: EXIT.precondition, cause: error });
    }
    const said = ((error as { stderr?: string }).stderr ?? '').trim();
    const [line = 'no reason given'] = said.split('\n');
    throw new MtpError('SYSTEMCTL', `systemctl ${args.join(' ')} failed: ${line}`, {
      exit: /denied|authentication/i.test(said) ? EXIT.needsRoot : EXIT.failed,
      hint: 'See what the proxy said with: mtp logs',
      cause: error,
    });
  }
}

/** Whether our unit ended by a fault; systemd may be about to start it again. */
export async function unitFailed(): Promise<boolean> {
  const { stdout } = await run('systemctl', ['show', '--property=SubState', '--value', UNIT]);
  return ['auto-restart', 'failed'].includes(stdout.trim());
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
