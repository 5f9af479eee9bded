import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is compiled before anything can be measured. */

const here = fileURLToPath(new URL('.', import.meta.url));
const root = path.dirname(here);
const FLAGS = ['-std=gnu17', '-O2', '-Wall', '-Wextra'];

export interface Programs {
  relay: string;
  load: string;
}

/** Compile the C programs, unless they are there already; they are named by what they were made of. */
export function buildPrograms(): Programs {
  const sources = globSync(['wire/*.[ch]', 'baseline/*.[ch]', 'load/*.[ch]'], { cwd: here }).sort();
  const hash = createHash('sha256').update(FLAGS.join(' '));
  for (const source of sources) hash.update(source).update(readFileSync(path.join(here, source)));
  const directory = path.join(root, 'node_modules/.cache/mtp-bench', hash.digest('hex').slice(0, 16));
  mkdirSync(directory, { recursive: true });
  return { relay: compile('baseline', directory), load: compile('load', directory) };
}

function compile(part: string, directory: string): string {
  const program = path.join(directory, part);
  if (existsSync(program)) return program;
  const sources = globSync([`${part}/*.c`, 'wire/*.c'], { cwd: here });
  try {
    execFileSync('gcc', [...FLAGS, ...sources, '-o', program, '-lcrypto'], { cwd: here, stdio: 'pipe' });
  } catch (error) {
    throw new Error(`${part} cannot be compiled: ${whyNot(error)}`, { cause: error });
  }
  return program;
}

function whyNot(error: unknown): string {
  const { code, stderr = '' } = error as { code?: string; stderr?: Buffer | string };
  if (code === 'ENOENT') return 'gcc is missing (Debian: apt-get install gcc libc6-dev libssl-dev)';
  const text = stderr.toString();
  if (text.includes('openssl/')) return 'the headers of OpenSSL 3 are missing (Debian: apt-get install libssl-dev)';
  return text.trim() || String(error);
}

/** URL of the engine, built from the sources as they are now. */
export function builtEngine(): URL {
  const entry = path.join(root, 'dist/daemon/engine/main.js');
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'ignore' });
  return new URL(`file://${entry}`);
}
