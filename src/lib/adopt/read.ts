import { readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { missing } from '../config/check.ts';
import { planImport } from '../config/import.ts';
import { readText } from '../config/read-text.ts';
import { parseToml } from '../config/toml.ts';
import { parseSecret } from '../secret/secret.ts';
import { fileError } from '../system/files.ts';
import { type Exec, lastWords } from '../system/exec.ts';
import { readCommandLine } from './command-line.ts';
import { type Found, notUnderstood, onlySecret } from './found.ts';
import { readPythonConfig } from './python-config.ts';
import { readUnit } from './unit.ts';

/** Where the other proxy is looked for. */
export type Where = { unit: string } | { pid: number } | { file: string };

/** The settings of another proxy: of a unit, of a process, or in a file (.toml, .py, .service). Changes nothing. */
export async function readOther(where: Where, exec: Exec): Promise<Found> {
  if ('file' in where) return readSettings(where.file);
  if ('pid' in where) return readProcess(where.pid);
  const ran = await exec('systemctl', ['cat', '--', where.unit]);
  if (ran.status !== 0) throw notUnderstood(where.unit, lastWords(ran));
  return readStart(ran.stdout);
}

async function readSettings(file: string): Promise<Found> {
  if (file.endsWith('.toml')) return readMtgFile(file);
  const text = await readText(file);
  if (text === undefined) throw missing(file);
  if (file.endsWith('.py')) return readPythonConfig(text);
  if (file.endsWith('.service')) return readStart(text);
  throw notUnderstood(file, 'its name ends in neither .toml, .py nor .service');
}

async function readStart(unit: string): Promise<Found> {
  const { argv, directory = '/' } = readUnit(unit);
  return follow(argv, directory);
}

async function readProcess(pid: number): Promise<Found> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch((error: unknown) => {
    throw fileError('read', `/proc/${pid}/cmdline`, error);
  });
  return follow(line.split('\0').slice(0, -1), await readlink(`/proc/${pid}/cwd`).catch(() => '/'));
}

async function follow(argv: readonly string[], directory: string): Promise<Found> {
  const found = readCommandLine(argv);
  return 'file' in found ? readSettings(path.resolve(directory, found.file)) : found;
}

async function readMtgFile(file: string): Promise<Found> {
  const { edits, dropped, warnings } = await planImport(file);
  const parsed = parseToml((await readText(file)) ?? '');
  const entry = parsed.ok ? parsed.document.entries.find(({ path: keys }) => keys.join('.') === 'secret') : undefined;
  if (typeof entry?.value !== 'string') throw notUnderstood(file, 'it has no secret');
  return {
    program: 'mtg',
    edits,
    ...onlySecret(parseSecret(entry.value)),
    notes: [...dropped, ...warnings].map(({ line, key, message }) => `${file}:${line}: ${key}: ${message}`),
  };
}
