import { mkdtemp, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig } from '../config/load.ts';
import { EXIT, MtpError } from '../errors.ts';
import { readHostFirewall } from '../host/firewall.ts';
import type { Exec } from '../system/exec.ts';
import type { Paths } from '../system/paths.ts';
import { withFirewallLock } from './change.ts';
import type { Guard } from './guard.ts';
import type { Opening } from './opening/opening.ts';
import { findEnded, findPending, forgetUnarmed, renderLoad } from './pending.ts';
import { bootDirectory } from './confirm.ts';
import { removeUnit } from './persist.ts';
import { writeScripts } from './place.ts';
import { runScript } from './run-script.ts';
import { joinScripts } from './script.ts';
import { assertRoot, guardsOf, readOpenings } from './world.ts';

/** What of ours is there. */
interface Ours {
  guards: Guard[];
  openings: Opening[];
}

export interface FirewallRemoval {
  /** What was, or would be, taken away, a line each. */
  removed: string[];
  dryRun: boolean;
}

interface RemoveEdges {
  exec: Exec;
  env: NodeJS.ProcessEnv;
  isRoot: boolean;
  root: string;
  dryRun: boolean;
  /** False leaves everything as it is. */
  agree: (removed: string[]) => Promise<boolean>;
}

/** Take away all that carries our mark, and see that it is gone. Null where the answer was no. */
export async function removeFirewall(paths: Paths, edges: RemoveEdges): Promise<FirewallRemoval | null> {
  const { exec, env, isRoot, root, dryRun, agree } = edges;
  assertRoot(isRoot);
  const dir = paths.firewall;
  if ((await findPending(dir)) !== undefined) {
    throw new MtpError('FIREWALL_PENDING', 'a change waits to be confirmed', {
      exit: EXIT.temporary,
      hint: 'Decide first: mtp firewall rollback',
    });
  }
  const { settings } = await loadConfig({ file: paths.configFile, env });
  const read = async (): Promise<Ours> => {
    const host = await readHostFirewall(exec, isRoot);
    const guards: Guard[] = [];
    for (const guard of guardsOf(exec, host)) if ((await guard.read()).length > 0) guards.push(guard);
    const openings = await readOpenings(exec, host, [settings.listen.port]);
    return { guards, openings: openings.filter(({ isMarked }) => isMarked) };
  };
  const ours = await read();
  const removed = [
    ...ours.guards.map(({ name }) => `rules of mtp in ${name}`),
    ...ours.openings.map(({ where }) => `the opening in ${where}`),
  ];
  if (dryRun) return { removed, dryRun };
  if (removed.length > 0 && !(await agree(removed))) return null;
  await withFirewallLock(dir, async () => {
    if (await removeUnit(exec, root)) removed.push('the unit that loads them');
    await runClear(dir, ours);
    const left = await read();
    const names = [...left.guards.map(({ name }) => name), ...left.openings.map(({ where }) => where)];
    if (names.length > 0) {
      throw new MtpError('FIREWALL_LEFT', `something of mtp is still in ${names.join(', ')}`, {
        hint: 'Run it again; if it stays, take away by hand what has mtp in its name or comment.',
      });
    }
    await clearPlace(dir);
  });
  await rmdir(dir).catch(() => undefined);
  return { removed, dryRun };
}

async function runClear(dir: string, { guards, openings }: Ours): Promise<void> {
  const script = joinScripts([...guards.map(({ clear }) => clear), ...openings.map(({ close }) => close)]);
  const work = await mkdtemp(path.join(dir, 'clear-'));
  await writeScripts(work, { files: script.files, programs: { 'clear.sh': await renderLoad(script) } });
  const { status, said } = await runScript(path.join(work, 'clear.sh'));
  await rm(work, { recursive: true });
  if (status === 0) return;
  throw new MtpError('FIREWALL_REFUSED', `the rules could not be taken away: ${said.split('\n').at(-1) ?? ''}`);
}

/** All but the lock that is held. */
async function clearPlace(dir: string): Promise<void> {
  await forgetUnarmed(dir);
  const ended = (await findEnded(dir)).flatMap(({ id, how }) => [`change-${id}`, `${how}-${id}`]);
  for (const name of [...ended, 'in-force.json']) await rm(path.join(dir, name), { recursive: true, force: true });
  await rm(bootDirectory(dir), { recursive: true, force: true });
}
