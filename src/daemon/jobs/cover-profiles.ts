import { readFile } from 'node:fs/promises';
import { z } from '../../lib/system/zod.ts';
import type { CoverStatus } from '../../lib/control/schema.ts';
import { errnoCode } from '../../lib/errors.ts';
import { formatEndpoint } from '../../lib/config/address.ts';
import { probeCover } from '../../lib/probe/cover.ts';
import type { ProbeEdges } from '../../lib/probe/dc.ts';
import { fileError, writeAtomic } from '../../lib/system/files.ts';
import type { CoverProfile, CoverTarget } from '../supervisor/engine.ts';

/** What a cover was seen to be, kept over restarts so that the first client already meets the right shape. */
const cacheSchema = z.strictObject({
  version: z.literal(1),
  profiles: z.record(
    z.string(),
    z.strictObject({
      target: z.string(),
      flightBytes: z.number().int().positive(),
      postQuantum: z.boolean(),
      checkedAt: z.number(),
    }),
  ),
});
export type CoverCache = z.infer<typeof cacheSchema>['profiles'];

export interface Cover {
  domain: string;
  target: CoverTarget;
}

/** Signatures vary by some bytes; a flight that differs by no more has the same shape. */
const SAME_SHAPE_BYTES = 8;

export function nameTarget(target: CoverTarget): string {
  return 'path' in target ? `unix:${target.path}` : formatEndpoint(target);
}

/** The cache, empty when there is none yet or when it cannot be understood: it is only ever a copy of what can be probed. */
export async function loadCoverCache(file: string): Promise<CoverCache> {
  try {
    return cacheSchema.parse(JSON.parse(await readFile(file, 'utf8'))).profiles;
  } catch (error) {
    if (errnoCode(error) !== undefined && errnoCode(error) !== 'ENOENT') throw fileError('read', file, error);
    return {};
  }
}

export async function saveCoverCache(file: string, profiles: CoverCache): Promise<void> {
  await writeAtomic(file, `${JSON.stringify({ version: 1, profiles }, null, 2)}\n`);
}

/** The profile of a cover, where it was measured at the target that it has now. */
export function cachedProfile(cache: CoverCache, { domain, target }: Cover): Record<string, CoverProfile> {
  const entry = cache[domain];
  if (entry === undefined || entry.target !== nameTarget(target)) return {};
  const { flightBytes, postQuantum } = entry;
  return { [domain]: { flightBytes, postQuantum } };
}

/** Probe a cover and note what was seen. The entry changes only where the shape does; a cover that is down keeps its own. */
export async function refreshCover(
  cache: CoverCache,
  cover: Cover,
  edges: ProbeEdges,
): Promise<{ status: CoverStatus; cache: CoverCache }> {
  const target = nameTarget(cover.target);
  const verdict = await probeCover(cover.target, cover.domain, edges);
  const checkedAt = edges.now();
  const common = { domain: cover.domain, target, checkedAt };
  const known = cachedProfile(cache, cover)[cover.domain];
  if (!verdict.ok) {
    const shape = { flightBytes: known?.flightBytes ?? null, postQuantum: known?.postQuantum ?? null };
    return { cache, status: { ...common, ...shape, state: verdict.kind, reason: verdict.reason } };
  }
  const shape = known !== undefined && sameShape(known, verdict.shape) ? known : verdict.shape;
  return {
    cache: { ...cache, [cover.domain]: { target, checkedAt, ...shape } },
    status: { ...common, ...verdict.shape, state: 'ok', reason: null },
  };
}

function sameShape(one: CoverProfile, other: CoverProfile): boolean {
  const difference = Math.abs(one.flightBytes - other.flightBytes);
  return one.postQuantum === other.postQuantum && difference <= SAME_SHAPE_BYTES;
}
