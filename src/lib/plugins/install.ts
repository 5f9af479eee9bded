import { Config } from '@oclif/core';
import { mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { exec, lastWords } from '../system/exec.ts';
import { ensureDirectory, fileError, writeAtomic } from '../system/files.ts';
import { packageUrl } from '../system/module-url.ts';
import { z } from '../system/zod.ts';
import { installedPlugins } from './place.ts';

/** What a tarball of a plugin says of itself. */
const manifestSchema = z.object({
  name: z.string().regex(/^(?:@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*$/, 'is no name of a package'),
  version: z.string().regex(/^\d+\.\d+\.\d+[\w.+-]*$/, 'is no version'),
  dependencies: z.record(z.string(), z.string()).default({}),
  oclif: z.object({ commands: z.unknown() }),
});
const commandsSchema = z.object({ commands: z.record(z.string(), z.unknown()) });

export interface Unpacked {
  name: string;
  version: string;
  /** As they are typed. */
  commands: string[];
  /** Where it lies; to be put in its place, or thrown away. */
  directory: string;
}

/** Unpack a tarball beside the plugins and look whether it can be one. Nothing of it runs. `taken` are ids of commands. */
export async function unpackPlugin(file: string, plugins: string, taken: Map<string, string>): Promise<Unpacked> {
  await ensureDirectory(plugins);
  await refuseEntries(file);
  const directory = await mkdtemp(path.join(plugins, '.new-'));
  try {
    const ran = await exec('tar', [
      ...['-xzf', path.resolve(file), '-C', directory, '--strip-components=1'],
      ...['--no-same-owner', '--no-same-permissions'],
    ]);
    if (ran.status !== 0) throw unfit(file, lastWords(ran));
    const { name, version, dependencies } = await read(file, path.join(directory, 'package.json'), manifestSchema);
    const { commands } = await read(file, path.join(directory, 'oclif.manifest.json'), commandsSchema);
    for (const dependency of Object.keys(dependencies)) await refuseMissing(file, directory, dependency);
    for (const id of Object.keys(commands)) {
      const owner = taken.get(id);
      if (owner !== undefined && owner !== name)
        throw unfit(file, `"mtp ${typed(id)}" is a command of ${owner} already`);
    }
    return { name, version, commands: Object.keys(commands).map(typed), directory };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Put a plugin in its place, see that its commands load, and keep it; what does not load leaves all as it was. */
export async function placePlugin(
  { name, version, directory }: Unpacked,
  plugins: string,
  uid: number | undefined,
): Promise<void> {
  const place = path.join(plugins, 'node_modules', name);
  const before = `${directory}.before`;
  await mkdir(path.dirname(place), { recursive: true, mode: 0o755 });
  await linkOurs(plugins);
  const there = installedPlugins(plugins, uid);
  const replaced = await moveIfThere(place, before);
  await rename(directory, place);
  await writeList(plugins, { ...there, [name]: version });
  try {
    await assertLoads(name, plugins, { ...there, [name]: version });
  } catch (error) {
    await rm(place, { recursive: true, force: true });
    if (replaced) await rename(before, place);
    await writeList(plugins, there);
    throw new MtpError(
      'PLUGIN_BROKEN',
      `${name} ${version} does not load: ${error instanceof Error ? error.message : String(error)}`,
      {
        hint: 'It was taken back. Ask who made it for which version of mtp it is.',
      },
    );
  }
  await rm(before, { recursive: true, force: true });
}

/** Remove a plugin; one that is not there is an error. */
export async function removePlugin(name: string, plugins: string, uid: number | undefined): Promise<void> {
  const { [name]: version, ...rest } = installedPlugins(plugins, uid);
  if (version === undefined) {
    throw new MtpError('PLUGIN_UNKNOWN', `there is no plugin ${JSON.stringify(name.slice(0, 80))}`, {
      exit: EXIT.usage,
      hint: 'See those there are with: mtp plugins',
    });
  }
  await writeList(plugins, rest);
  await rm(path.join(plugins, 'node_modules', name), { recursive: true, force: true });
}

/** Only files and directories: a link could lead out. */
async function refuseEntries(file: string): Promise<void> {
  const listed = await exec('tar', ['-tvzf', path.resolve(file)]);
  if (listed.status !== 0) throw unfit(file, lastWords(listed));
  const other = listed.stdout.split('\n').find((line) => line !== '' && !/^[d-]/.test(line));
  if (other !== undefined) throw unfit(file, 'it has something that is neither a file nor a directory');
  if (/(?:^|[ /])\.\.\//m.test(listed.stdout)) throw unfit(file, 'it has a name that leads out of it');
}

async function refuseMissing(file: string, directory: string, dependency: string): Promise<void> {
  await readFile(path.join(directory, 'node_modules', dependency, 'package.json')).catch(() => {
    throw unfit(
      file,
      `it needs ${dependency} and does not bring it along`,
      'Pack it with bundledDependencies; nothing is fetched.',
    );
  });
}

async function read<Schema extends z.ZodType>(file: string, inside: string, schema: Schema): Promise<z.infer<Schema>> {
  const name = path.basename(inside);
  const text = await readFile(inside, 'utf8').catch(() => {
    throw unfit(file, `it has no ${name}`);
  });
  const { data, error } = schema.safeParse(asJson(text));
  if (data !== undefined) return data;
  const [issue] = error?.issues ?? [];
  throw unfit(file, `${name}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is damaged'}`);
}

/** `mtp/plugin` of a plugin is that of this installation. */
async function linkOurs(plugins: string): Promise<void> {
  const link = path.join(plugins, 'node_modules/mtp');
  await rm(link, { force: true });
  await symlink(fileURLToPath(packageUrl('')).replace(/\/$/, ''), link);
}

async function assertLoads(name: string, plugins: string, all: Record<string, string>): Promise<void> {
  const root = fileURLToPath(packageUrl('bin/run.js'));
  const config = await Config.load({ root, pluginAdditions: { core: Object.keys(all), path: plugins } });
  const commands = config.commands.filter(({ pluginName }) => pluginName === name);
  if (commands.length === 0) throw new Error('it has no command');
  for (const command of commands) await command.load();
}

async function moveIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return false;
    throw fileError('move', from, error);
  }
}

async function writeList(plugins: string, dependencies: Record<string, string>): Promise<void> {
  const text = `${JSON.stringify({ private: true, dependencies }, null, 2)}\n`;
  await writeAtomic(path.join(plugins, 'package.json'), text, 0o644, 'us');
}

const typed = (id: string): string => id.replaceAll(':', ' ');

function unfit(
  file: string,
  why: string,
  hint = 'A plugin is a package of oclif as "npm pack" makes it; see docs/plugins.md.',
): MtpError {
  return new MtpError('PLUGIN_UNFIT', `${file} cannot be a plugin: ${why}`, { exit: EXIT.precondition, hint });
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
