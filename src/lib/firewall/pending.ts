import { readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { fileError, writeAtomic } from '../system/files.ts';
import { packageUrl } from '../system/module-url.ts';
import { z } from '../system/zod.ts';
import { renderTemplate } from '../template/render.ts';
import { writeScripts } from './place.ts';
import { runScript } from './run-script.ts';
import { quoteSh, type Script } from './script.ts';

const armedSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{8}$/),
  /** The start of the machine that it belongs to. */
  boot: z.string(),
  /** Unix time in ms at which the rules from before come back. */
  until: z.number(),
});

/** A change that is in force, and taken back when nobody confirms it. */
export type Pending = z.infer<typeof armedSchema>;

/** What a change does, how it is taken back, and what a start of the machine loads once it is confirmed. */
export interface ChangeScripts {
  apply: Script;
  restore: Script;
  boot: Script;
}

export const changeDirectory = (dir: string, id: string): string => path.join(dir, `change-${id}`);
export const BOOT = 'boot';
const armedFile = (dir: string, id: string): string => path.join(dir, `armed-${id}`);

/** Write all that a change needs, the way back first. Nothing is in force yet. */
export async function prepareChange(dir: string, id: string, { apply, restore, boot }: ChangeScripts): Promise<void> {
  const change = changeDirectory(dir, id);
  const mark = (name: string): string => quoteSh(path.join(dir, `${name}-${id}`));
  const rollback = await renderProgram('firewall-rollback.sh', {
    dir: quoteSh(change),
    armed: mark('armed'),
    rolling: mark('rolling'),
    failed: mark('failed'),
    rolledBack: mark('rolled-back'),
    steps: restore.lines.map((line) => `run sh -c ${quoteSh(line)}`).join('\n'),
  });
  const guarded = [`echo "$$" >applying`, `[ -e ${mark('armed')} ]`, ...apply.lines];
  await writeScripts(change, {
    files: { ...apply.files, ...restore.files },
    programs: { 'rollback.sh': rollback, 'apply.sh': await renderLoad({ ...apply, lines: guarded }) },
  });
  await writeScripts(path.join(change, BOOT), { files: boot.files, programs: { 'load.sh': await renderLoad(boot) } });
}

export async function renderLoad({ lines }: Script): Promise<string> {
  return renderProgram('firewall-load.sh', { steps: lines.join('\n') });
}

async function renderProgram(source: string, values: Record<string, string>): Promise<string> {
  return renderTemplate(await readFile(packageUrl(`templates/${source}`), 'utf8'), values);
}

/** From here on the rules from before come back, unless `disarm` is called. */
export async function arm(dir: string, pending: Pending): Promise<void> {
  await writeAtomic(armedFile(dir, pending.id), `${JSON.stringify(pending)}\n`);
}

/** The change that waits for a confirmation; undefined where there is none. One from before a restart is forgotten. */
export async function findPending(dir: string): Promise<Pending | undefined> {
  for (const name of await namesIn(dir)) {
    if (!name.startsWith('armed-')) continue;
    const pending = await readPending(path.join(dir, name));
    if (pending === undefined) continue;
    if (pending.boot === (await bootId())) return pending;
    await forget(dir, pending.id);
  }
  return undefined;
}

async function readPending(file: string): Promise<Pending | undefined> {
  try {
    return armedSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    if (errnoCode(error) !== undefined) throw fileError('read', file, error);
    throw new MtpError('FIREWALL_STATE', `cannot use ${file}: it is not what mtp wrote`, {
      cause: error,
      exit: EXIT.precondition,
      hint: `See what is in it, then remove it; the rules from before are in the directory beside it.`,
    });
  }
}

/** Keep the change: true when this was decided here, false when the rules from before are back already. */
export async function disarm(dir: string, id: string): Promise<boolean> {
  try {
    await rename(armedFile(dir, id), path.join(dir, `confirmed-${id}`));
    return true;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return false;
    throw fileError('rename', armedFile(dir, id), error);
  }
}

/** How long a timer that was quicker may take. */
const MOST_TRIES = 300;
const PAUSE_MS = 200;

/** Bring the rules from before back now; resolves when they are. */
export async function rollBack(dir: string, id: string): Promise<void> {
  const { status, said } = await runScript(path.join(changeDirectory(dir, id), 'rollback.sh'));
  for (let tries = 0; tries < MOST_TRIES && (await namesIn(dir)).includes(`rolling-${id}`); tries++)
    await sleep(PAUSE_MS);
  if (status === 0 && (await namesIn(dir)).includes(`rolled-back-${id}`)) return forget(dir, id);
  const log = path.join(changeDirectory(dir, id), 'rollback.log');
  const words = said === '' ? await readFile(log, 'utf8').catch(() => '') : said;
  throw new MtpError(
    'ROLLBACK_FAILED',
    `the rules from before did not come back: ${words.trim().split('\n').at(-1) ?? ''}`,
    {
      hint: `See ${log}, and take away all of mtp's rules with: mtp firewall remove`,
    },
  );
}

/** `rolling` is under way, or was killed on the way. */
export type Ending = 'confirmed' | 'rolled-back' | 'failed' | 'rolling';

/** Changes that ended, by how: what a killed command did not clear away. */
export async function findEnded(dir: string): Promise<{ id: string; how: Ending }[]> {
  return (await namesIn(dir)).flatMap((name) => {
    const [, how, id = ''] = /^(confirmed|rolled-back|failed|rolling)-([0-9a-f]{8})$/.exec(name) ?? [];
    return how === undefined ? [] : [{ id, how: how as Ending }];
  });
}

/** Remove what was prepared and never armed. To be called where nobody else prepares. */
export async function forgetUnarmed(dir: string): Promise<void> {
  const names = await namesIn(dir);
  for (const name of names) {
    const [, id] = /^change-([0-9a-f]{8})$/.exec(name) ?? [];
    if (id !== undefined && !names.some((mark) => mark !== name && mark.endsWith(`-${id}`))) await forget(dir, id);
  }
}

/** Remove all that is kept about a change. */
export async function forget(dir: string, id: string): Promise<void> {
  await rm(changeDirectory(dir, id), { recursive: true, force: true });
  for (const mark of ['armed', 'confirmed', 'rolled-back', 'failed', 'rolling']) {
    await rm(path.join(dir, `${mark}-${id}`), { force: true });
  }
}

async function namesIn(dir: string): Promise<string[]> {
  return readdir(dir).catch((error: unknown) => {
    if (errnoCode(error) === 'ENOENT') return [];
    throw fileError('read', dir, error);
  });
}

export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'unknown')).trim();
}
