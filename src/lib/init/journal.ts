import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { exists } from '../host/machine.ts';
import { ensureDirectory, fileError, writeAtomic } from '../system/files.ts';
import { z } from '../system/zod.ts';
import type { Layout } from './layout.ts';

const madeSchema = z.discriminatedUnion('kind', [
  /** With `contents`, all that is ever in it is ours. */
  z.strictObject({ kind: z.literal('directory'), path: z.string(), contents: z.boolean() }),
  /** Ours as long as it has this hash. */
  z.strictObject({ kind: z.literal('file'), path: z.string(), sha256: z.string() }),
  /** Ours whatever it has become. */
  z.strictObject({ kind: z.literal('data'), path: z.string() }),
  z.strictObject({ kind: z.literal('user'), name: z.string() }),
  z.strictObject({ kind: z.literal('service'), manager: z.enum(['systemd', 'background']) }),
]);

/** Something that `mtp init` made on this machine. */
export type Made = z.infer<typeof madeSchema>;

const journalSchema = z.strictObject({
  version: z.literal(1),
  /** In the order of making. Written before the thing is made, so that nothing is ever made without being here. */
  made: z.array(madeSchema),
});

const PRIVATE_DIRECTORY = 0o700;

/** The record of what was made, so that a second run repairs and `mtp uninstall` removes exactly that. */
export class Journal {
  readonly #file: string;
  #made: Made[];

  constructor(file: string, made: Made[]) {
    this.#file = file;
    this.#made = made;
  }

  get made(): readonly Made[] {
    return this.#made;
  }

  /** The hash under which a file of ours is known. */
  hashOf(file: string): string | undefined {
    const entry = this.#made.find((made) => made.kind === 'file' && made.path === file);
    return entry?.kind === 'file' ? entry.sha256 : undefined;
  }

  /** To be called before these are made. What is known already keeps its place; a file gets its new hash. */
  async intend(made: readonly Made[]): Promise<void> {
    if (made.length === 0) return;
    for (const entry of made) {
      const at = this.#made.findIndex((known) => nameOf(known) === nameOf(entry));
      if (at === -1) this.#made.push(entry);
      else this.#made[at] = entry;
    }
    await this.#save();
  }

  /** To be called after these are gone, or are the operator's. */
  async forget(gone: Made): Promise<void> {
    this.#made = this.#made.filter((known) => known !== gone);
    if (await exists(path.dirname(this.#file))) await this.#save();
  }

  async #save(): Promise<void> {
    await writeAtomic(this.#file, formatJournal(this.#made));
  }
}

function nameOf(made: Made): string {
  switch (made.kind) {
    case 'user':
      return `user ${made.name}`;
    case 'service':
      return 'service';
    case 'data':
    case 'directory':
    case 'file':
      return made.path;
  }
}

function formatJournal(made: readonly Made[]): string {
  return `${JSON.stringify({ version: 1, made }, null, 2)}\n`;
}

/** The journal of an installation; undefined where there is none. */
export async function readJournal({ journal }: Pick<Layout, 'journal'>): Promise<Journal | undefined> {
  try {
    const { made } = journalSchema.parse(JSON.parse(await readFile(journal, 'utf8')));
    return new Journal(journal, made);
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code !== undefined) throw fileError('read', journal, error);
    throw new MtpError('JOURNAL_DAMAGED', `cannot use ${journal}: it is not what mtp wrote`, {
      cause: error,
      exit: EXIT.precondition,
      hint: 'Put a copy back in its place, or move it away; mtp then counts nothing here as its own.',
    });
  }
}

/** The name of the state directory before it has its journal: both appear in one step. */
export function unfinishedState({ paths }: Pick<Layout, 'paths'>): string {
  return `${paths.state}.new`;
}

/** The journal to write to, made where there is none, together with the state directory that it is in. */
export async function openJournal(layout: Layout): Promise<Journal> {
  const present = await readJournal(layout);
  if (present !== undefined) return present;
  const { state } = layout.paths;
  if (await exists(state)) return new Journal(layout.journal, []);
  const made: Made[] = [{ kind: 'directory', path: state, contents: true }];
  const unfinished = unfinishedState(layout);
  try {
    await ensureDirectory(path.dirname(state));
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { mode: PRIVATE_DIRECTORY });
    await writeAtomic(path.join(unfinished, path.basename(layout.journal)), formatJournal(made));
    await rename(unfinished, state);
  } catch (error) {
    throw fileError('create', state, error);
  }
  return new Journal(layout.journal, made);
}
