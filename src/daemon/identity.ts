import { execFile } from 'node:child_process';
import { chmod, chown, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { errnoCode, EXIT, MtpError } from '../lib/errors.ts';
import { type Account, findAccount } from '../lib/system/accounts.ts';
import { ensureDirectory } from '../lib/system/files.ts';
import { entryUrl } from '../lib/system/module-url.ts';
import { findProgram } from '../lib/system/program.ts';

/** As whom an engine runs, and how it is started so. */
export interface Identity {
  /** A program with arguments before the one to start; empty starts it with our own rights. */
  via: string[];
  /** The user that it changes to; null where it stays who we are. */
  account: Account | null;
  /** It runs as root. */
  asRoot: boolean;
}

export interface IdentityFacts {
  isRoot: boolean;
  /** The operator said that root will do. */
  allowRoot: boolean;
  /** Nobody sits at a terminal who would see a warning. */
  asService: boolean;
}

const USUAL_USER = 'mtp';
/** Clients are served on sockets that the daemon has bound: the engine needs no capability at all. */
const NOTHING_NEW = ['--no-new-privs', '--inh-caps=-all', '--ambient-caps=-all'];
const CAP_SETPCAP = 8n;
const run = promisify(execFile);

/** Decide as whom the engine runs by `engine.user`: never as root unless that was said. */
export async function engineIdentity(user: string, { isRoot, allowRoot, asService }: IdentityFacts): Promise<Identity> {
  const setpriv = await findProgram('setpriv');
  if (!isRoot) {
    if (user !== 'auto' && (await findAccount(user))?.uid !== process.getuid?.()) {
      throw new MtpError('ENGINE_USER', `only root can run the engine as ${user}`, {
        exit: EXIT.needsRoot,
        hint: 'Run as that user, or set engine.user to auto.',
      });
    }
    return { via: setpriv === undefined ? [] : [setpriv, ...NOTHING_NEW], account: null, asRoot: false };
  }
  const account = await findAccount(user === 'auto' ? USUAL_USER : user);
  if (account === undefined && user !== 'auto') {
    throw new MtpError('ENGINE_USER', `there is no user ${user} to run the engine as`, {
      exit: EXIT.precondition,
      hint: `Make it with "useradd --system ${user}", or set engine.user to auto.`,
    });
  }
  if (account === undefined || account.uid === 0) {
    if (!allowRoot && (asService || user === 'root')) {
      throw new MtpError('AS_ROOT', 'the engine would run as root, which strangers talk to', {
        exit: EXIT.precondition,
        hint: `Make a user with "useradd --system ${USUAL_USER}", or add --allow-root.`,
      });
    }
    return { via: [], account: null, asRoot: true };
  }
  if (setpriv === undefined) {
    throw new MtpError('SETPRIV', `setpriv is needed to run the engine as ${account.name}`, {
      exit: EXIT.precondition,
      hint: 'Install util-linux, or run the proxy as that user.',
    });
  }
  const { uid, gid } = account;
  const bounding = (await hasCapability(CAP_SETPCAP)) ? ['--bounding-set=-all'] : [];
  const via = [setpriv, `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...NOTHING_NEW, ...bounding];
  return { via, account, asRoot: false };
}

/**
 * The directory that the engine writes to. Where it runs as another user, that one owns it and may pass through the directory
 * above, and it is tried out that it can.
 */
export async function engineDirectory(state: string, { account, via }: Identity): Promise<string> {
  const dir = path.join(state, 'engine');
  await ensureDirectory(dir);
  const journal = path.join(dir, 'replay.journal');
  // Where versions before 0.2 kept it.
  await rename(path.join(state, 'replay.journal'), journal).catch(ignoreMissing);
  if (account === null) return dir;
  const { uid, gid } = account;
  await chown(dir, uid, gid);
  await chown(journal, uid, gid).catch(ignoreMissing);
  const above = await stat(state);
  if (above.uid !== uid) {
    await chown(state, above.uid, gid);
    await chmod(state, 0o710);
  }
  await assertReach(account, via, ['-w', dir]);
  await assertReach(account, via, ['-r', fileURLToPath(entryUrl('daemon/engine/main'))]);
  return dir;
}

async function assertReach({ name }: Account, via: string[], [flag, file]: [string, string]): Promise<void> {
  const [program = '', ...rest] = via;
  try {
    await run(program, [...rest, 'test', flag, file]);
  } catch (error) {
    throw new MtpError('ENGINE_USER', `user ${name} cannot ${flag === '-w' ? 'write to' : 'read'} ${file}`, {
      cause: error,
      exit: EXIT.precondition,
      hint: 'Every directory above it has to be passable for that user: keep the installation and --home in such a place.',
    });
  }
}

async function hasCapability(bit: bigint): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const mask = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  return ((mask >> bit) & 1n) === 1n;
}

function ignoreMissing(error: unknown): void {
  if (errnoCode(error) !== 'ENOENT') throw error;
}
