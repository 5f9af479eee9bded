import { constants } from 'node:fs';
import { open, readdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import { errnoCode } from '../../lib/errors.ts';
import { fileError } from '../../lib/system/files.ts';
import { z } from '../../lib/system/zod.ts';
import { isEngine } from '../engine-pid.ts';
import type { Figures } from './figures.ts';

/** What an engine leaves for a daemon to come (engine/usage-file.ts). It may run as somebody whom we trust with nothing else. */

const bytes = z.int().nonnegative();
const schema = z.strictObject({
  version: z.literal(1),
  epoch: z.string().regex(/^[0-9a-f]{32}$/),
  pid: z.int().min(2),
  /** Unix ms. */
  at: z.int().nonnegative(),
  /** Nothing comes after it. */
  final: z.boolean(),
  rows: z.array(
    z.strictObject({
      id: z.string().max(64),
      era: z.int().nonnegative().default(0),
      up: bytes,
      down: bytes,
      lastSeen: bytes,
    }),
  ),
});

const NAME = /^usage-([0-9a-f]{32})\.json$/;
/** Unfinished files of an engine that was killed in the middle of writing one. */
const UNFINISHED = /^\.usage-[0-9a-f]{32}\.json\./;
/** All users and secrets that an engine can know, 128 bytes each. */
const LARGEST = 16 * 2 ** 20;

export interface LeftUsage extends Figures {
  file: string;
  /** Nothing will be added to it any more. */
  done: boolean;
}

/**
 * The files of engines that no daemon asks. `ours` are the processes that we have started: another of their number is gone.
 * What is no such file is reported and left alone.
 */
export async function readLeftUsage(
  directory: string,
  { ours, now, onFault }: { ours: readonly number[]; now: number; onFault: (file: string, why: string) => void },
): Promise<LeftUsage[]> {
  const names = await list(directory);
  const left = [];
  for (const name of names.filter((each) => NAME.test(each))) {
    const file = path.join(directory, name);
    try {
      const usage = await readOne(file, ours, now);
      if (name !== `usage-${usage.epoch}.json`) throw new Error('it is of another engine than its name says');
      left.push(usage);
    } catch (error) {
      // Its engine may have put a newer one in its place, or removed nothing but ours did.
      if (errnoCode(error) !== 'ENOENT')
        onFault(file, error instanceof z.ZodError ? 'it is damaged' : messageOf(error));
    }
  }
  return left;
}

async function readOne(file: string, ours: readonly number[], now: number): Promise<LeftUsage> {
  // First, so that what is read after it is the last of an engine that is gone.
  const before = parse(await readSmall(file));
  const running = !ours.includes(before.pid) && (await isEngine(before.pid));
  const { epoch, at, final, rows } = running ? before : parse(await readSmall(file));
  return { file, epoch, at: Math.min(at, now), rows, done: final || !running };
}

function parse(text: string): z.infer<typeof schema> {
  return schema.parse(JSON.parse(text));
}

/** Never by a link, which could name any file. */
async function readSmall(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.size > LARGEST) throw new Error('it is no file of usage');
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** The processes whose files these are, running or not. */
export async function leftBy(directory: string): Promise<number[]> {
  const files = (await list(directory)).filter((name) => NAME.test(name)).map((name) => path.join(directory, name));
  // One that cannot be read is reported when it is to be counted.
  const texts = await Promise.all(
    files.map(async (file) =>
      readSmall(file)
        .then(parse)
        .catch(() => undefined),
    ),
  );
  return texts.flatMap((left) => (left === undefined ? [] : [left.pid]));
}

/** Remove what was counted. */
export async function removeLeftUsage(file: string): Promise<void> {
  await unlink(file).catch((error: unknown) => {
    if (errnoCode(error) !== 'ENOENT') throw fileError('remove', file, error);
  });
}

/** Remove what engines that are gone did not finish. */
export async function removeUnfinished(directory: string): Promise<void> {
  for (const name of await list(directory)) {
    if (UNFINISHED.test(name)) await removeLeftUsage(path.join(directory, name));
  }
}

async function list(directory: string): Promise<string[]> {
  return readdir(directory).catch((error: unknown) => {
    if (errnoCode(error) === 'ENOENT') return [];
    throw fileError('look into', directory, error);
  });
}

function messageOf(error: unknown): string {
  return error instanceof SyntaxError ? 'it is damaged' : error instanceof Error ? error.message : String(error);
}
