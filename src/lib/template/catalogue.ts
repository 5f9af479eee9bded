import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { EXIT, MtpError } from '../errors.ts';
import { ensureDirectory, writeAtomic } from '../system/files.ts';
import { packageUrl } from '../system/module-url.ts';
import { renderTemplate } from './render.ts';
import { type TemplateOptions, templateValues } from './values.ts';

/** A file of a template, as it is called in the package and where it is written. */
interface TemplateFile {
  source: string;
  target: string;
}

export interface Template {
  name: string;
  summary: string;
  files: TemplateFile[];
}

export interface Rendered {
  file: string;
  text: string;
}

const same = (name: string): TemplateFile => ({ source: name, target: name });

export const TEMPLATES: readonly Template[] = [
  { name: 'systemd', summary: 'Hardened unit, as mtp init installs it', files: [same('mtp.service')] },
  {
    name: 'logrotate',
    summary: 'Rotation of log files, as mtp init installs it',
    files: [{ source: 'logrotate', target: 'mtp.logrotate' }],
  },
  {
    name: 'docker',
    summary: 'Dockerfile and compose file without root, with a read-only file system',
    files: [same('Dockerfile'), same('compose.yaml')],
  },
  { name: 'kubernetes', summary: 'Deployment and Service without root', files: [same('kubernetes.yaml')] },
];

/** The files of a template with their values filled in. */
export async function renderNamed(name: string, options: TemplateOptions): Promise<Rendered[]> {
  const template = TEMPLATES.find((known) => known.name === name);
  if (template === undefined) {
    throw new MtpError('TEMPLATE_UNKNOWN', `there is no template named ${JSON.stringify(name.slice(0, 80))}`, {
      exit: EXIT.usage,
      hint: `There are ${TEMPLATES.map((known) => known.name).join(', ')}.`,
    });
  }
  return Promise.all(
    template.files.map(async ({ source, target }) => ({ file: target, text: await renderFile(source, options) })),
  );
}

/** One file of the package's templates with its values filled in. */
export async function renderFile(source: string, options: TemplateOptions): Promise<string> {
  return renderTemplate(await readFile(packageUrl(`templates/${source}`), 'utf8'), templateValues(options));
}

const WORLD_READABLE = 0o644;

/** Write the files of a template into a directory, which is made where it is not there. Existing files need `force`. */
export async function writeNamed(
  name: string,
  options: TemplateOptions,
  { dir, force }: { dir: string; force: boolean },
): Promise<string[]> {
  const files = await renderNamed(name, options);
  const written = files.map(({ file, text }) => ({ file: path.resolve(dir, file), text }));
  if (!force) for (const { file, text } of written) await refuseOther(file, text);
  await ensureDirectory(path.resolve(dir));
  for (const { file, text } of written) await writeAtomic(file, text, WORLD_READABLE);
  return written.map(({ file }) => file);
}

async function refuseOther(file: string, text: string): Promise<void> {
  const present = await readFile(file, 'utf8').catch(() => undefined);
  if (present === undefined || present === text) return;
  throw new MtpError('FILE_EXISTS', `${file} is there already and says something else`, {
    exit: EXIT.precondition,
    hint: 'Choose another directory with --out, or replace it with --force.',
  });
}
