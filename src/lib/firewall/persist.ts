import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { EXIT, MtpError } from '../errors.ts';
import { readMachineFacts } from '../host/machine.ts';
import { type Exec, lastWords } from '../system/exec.ts';
import { writeAtomic } from '../system/files.ts';
import { packageUrl } from '../system/module-url.ts';
import { quoteForUnit } from '../template/values.ts';
import { renderTemplate } from '../template/render.ts';
import { bootDirectory, copyBoot, LOADER } from './confirm.ts';
import { withFirewallLock } from './change.ts';
import { findPending, renderLoad } from './pending.ts';
import { writeScripts } from './place.ts';
import { planFirewall } from './plan.ts';
import { joinScripts, type Script } from './script.ts';
import type { World } from './world.ts';

const UNIT = 'mtp-firewall.service';
const WORLD_READABLE = 0o644;

const unitFile = (root: string): string => path.join(root, 'etc/systemd/system', UNIT);

export interface Persisted {
  unit: string;
  loader: string;
  /** Systemd says so. */
  enabled: boolean;
  changed: boolean;
}

/** Have the rules that are in force come back when the machine starts. */
export async function persistRules(
  dir: string,
  world: World,
  { exec, root, dryRun }: { exec: Exec; root: string; dryRun: boolean },
): Promise<Persisted> {
  if ((await findPending(dir)) !== undefined) {
    throw new MtpError('FIREWALL_PENDING', 'a change waits to be confirmed, and may be taken back', {
      exit: EXIT.temporary,
      hint: 'Keep it first: mtp firewall confirm',
    });
  }
  if (planFirewall(world).isNeeded) {
    throw new MtpError('FIREWALL_NOT_APPLIED', 'the rules in force are not those of the configuration', {
      exit: EXIT.precondition,
      hint: 'Put them into force first: mtp firewall apply',
    });
  }
  const { systemd } = await readMachineFacts(root);
  const loader = path.join(bootDirectory(dir), LOADER);
  const unit = unitFile(root);
  const text = await renderUnit(loader);
  const boot = await bootScript(world);
  const persisted = await readPersisted(dir, world, root, exec);
  const isDone = persisted?.isCurrent === true && persisted.enabled && (await textOf(unit)) === text;
  if (isDone || dryRun) return { unit, loader, enabled: persisted?.enabled ?? false, changed: !isDone };
  return withFirewallLock(dir, async () => {
    const fresh = `${bootDirectory(dir)}.new`;
    await writeScripts(fresh, { files: boot.files, programs: { [LOADER]: await renderLoad(boot) } });
    await copyBoot(fresh, bootDirectory(dir));
    await rm(fresh, { recursive: true });
    if (systemd === 'none') throw noSystemd(loader);
    await writeAtomic(unit, text, WORLD_READABLE);
    const isRunning = systemd === 'running';
    if (isRunning) await exec('systemctl', ['daemon-reload']);
    // Started at once, so that it follows nftables.service from now on.
    const ran = await exec('systemctl', [
      ...(isRunning ? [] : [`--root=${root}`]),
      'enable',
      ...(isRunning ? ['--now'] : []),
      UNIT,
    ]);
    const enabled = await isEnabled(exec, root, systemd);
    const isActive = !isRunning || (await exec('systemctl', ['is-active', UNIT])).status === 0;
    if (!enabled || !isActive) {
      throw new MtpError('FIREWALL_NOT_ENABLED', `systemd does not enable and start ${UNIT}: ${lastWords(ran)}`, {
        hint: `The unit is ${unit}.`,
      });
    }
    return { unit, loader, enabled, changed: true };
  });
}

function noSystemd(loader: string): MtpError {
  return new MtpError('FIREWALL_NO_SYSTEMD', `the rules are in ${loader}, but there is no systemd here to load them`, {
    exit: EXIT.precondition,
    hint: `Have your init run this before the network is up: sh ${loader}`,
  });
}

/** What a start of the machine brings back; null where nothing. */
export async function readPersisted(
  dir: string,
  world: World,
  root: string,
  exec: Exec,
): Promise<{ isCurrent: boolean; enabled: boolean } | null> {
  if ((await textOf(unitFile(root))) === undefined) return null;
  const boot = await bootScript(world);
  const wanted = { ...boot.files, [LOADER]: await renderLoad(boot) };
  const texts = await Promise.all(
    Object.entries(wanted).map(async ([name, text]) => (await textOf(path.join(bootDirectory(dir), name))) === text),
  );
  const { systemd } = await readMachineFacts(root);
  return { isCurrent: texts.every(Boolean), enabled: await isEnabled(exec, root, systemd) };
}

/** Take the unit away; true where there was one. */
export async function removeUnit(exec: Exec, root: string): Promise<boolean> {
  const unit = unitFile(root);
  if ((await textOf(unit)) === undefined) return false;
  const { systemd } = await readMachineFacts(root);
  const how = systemd === 'running' ? ['disable', '--now'] : [`--root=${root}`, 'disable'];
  await exec('systemctl', [...how, UNIT]);
  await rm(unit, { force: true });
  if (systemd === 'running') await exec('systemctl', ['daemon-reload']);
  return true;
}

async function bootScript({ guard, intent, openings }: World): Promise<Script> {
  return joinScripts([await guard.boot(intent), ...openings.map(({ boot }) => boot)]);
}

export async function renderUnit(loader: string): Promise<string> {
  const text = await readFile(packageUrl('templates/mtp-firewall.service'), 'utf8');
  return renderTemplate(text, { loader: quoteForUnit(loader) });
}

async function isEnabled(exec: Exec, root: string, systemd: string): Promise<boolean> {
  const at = systemd === 'running' ? [] : [`--root=${root}`];
  const { stdout } = await exec('systemctl', [...at, 'is-enabled', UNIT]);
  return stdout.trim() === 'enabled';
}

async function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
