import { z } from '../system/zod.ts';

/** What the daemon says on its control socket. Both sides are held to it. */

const count = z.number().int().nonnegative();
const endpoint = z.object({ host: z.string(), port: z.number() });

export const dcStatus = z.object({
  dc: z.number(),
  ok: z.boolean(),
  /** Time of the answer; null where there was none. */
  ms: z.number().nullable(),
  /** Why there was none. */
  reason: z.string().nullable(),
});

/** One address of a DC, as the running engine finds it. */
export const dcAddress = z.object({
  dc: z.number(),
  host: z.string(),
  port: z.number(),
  state: z.enum(['closed', 'open', 'half-open']),
  /** In a row. */
  failures: count,
  /** How often it was given up since the start of the engine. */
  opens: count,
  lastError: z.string().nullable(),
  /** Until it is tried out, or while it is, until that trial counts as lost; null where all is well. */
  retryMs: z.number().nullable(),
  /** Connections held open ahead. */
  warm: count,
});

export const coverStatus = z.object({
  domain: z.string(),
  target: z.string(),
  state: z.enum(['unknown', 'ok', 'unreachable', 'not-tls13']),
  /** Unix time in ms of the newest probe; null before the first. */
  checkedAt: z.number().nullable(),
  reason: z.string().nullable(),
  flightBytes: z.number().nullable(),
  postQuantum: z.boolean().nullable(),
});

export const capStatus = z.object({ connections: count, bound: z.string() });

export const proof = z.object({ name: z.string(), ok: z.boolean(), detail: z.string() });

export const statusReply = z.object({
  version: z.string(),
  pid: count,
  startedAt: z.number(),
  /** The revision that the engine confirmed last. */
  revision: z.string(),
  engine: z.object({
    state: z.enum(['starting', 'running', 'restarting', 'stopped']),
    pid: count.nullable(),
    listening: endpoint.nullable(),
    workers: count,
    /** Where the ciphers of relayed streams are computed; null while there is no engine. */
    accelerator: z.enum(['native', 'none']).nullable(),
    restarts: count,
    lastError: z.object({ at: z.number(), message: z.string() }).nullable(),
  }),
  cap: capStatus,
  users: z.object({ total: count, enabled: count }),
  /** Figures of the running engine since its start; null while there is none. */
  traffic: z
    .object({
      connections: z.object({ current: count, relayed: count, cover: count, total: count }),
      handshakes: z.record(z.string(), count),
      /** Why connections ended. */
      closes: z.record(z.string(), count),
      /** Worker threads that ended on their own, and errors that cost one connection. */
      workerFailures: count,
      faults: count,
      bytes: z.object({ up: count, down: count }),
      rssBytes: count,
    })
    .nullable(),
  dcs: z.array(dcStatus),
  /** Empty while no engine runs. */
  dcAddresses: z.array(dcAddress),
  cover: coverStatus,
});

export const reloadReply = z.object({
  revision: z.string(),
  /** False when the files say what the engine already serves. */
  changed: z.boolean(),
  /** Settings that were changed in the file and take effect at the next start only. */
  restartNeeded: z.array(z.string()),
  proofs: z.array(proof),
  /** Secrets that changed and were not tried out, because they are too many. */
  untried: count,
});

export const failureReply = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional(), exit: z.number() }),
});

export type DcStatus = z.infer<typeof dcStatus>;
export type DcAddress = z.infer<typeof dcAddress>;
export type CoverStatus = z.infer<typeof coverStatus>;
export type CapStatus = z.infer<typeof capStatus>;
export type Proof = z.infer<typeof proof>;
export type StatusReply = z.infer<typeof statusReply>;
export type ReloadReply = z.infer<typeof reloadReply>;
