import { VERDICTS } from '../access/ruling.ts';
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
    /** `failing`: it keeps ending and is being started again, ever more rarely. */
    state: z.enum(['starting', 'running', 'restarting', 'failing', 'stopped']),
    pid: count.nullable(),
    listening: endpoint.nullable(),
    workers: count,
    /** Where the ciphers of relayed streams are computed; null while there is no engine. */
    accelerator: z.enum(['native', 'none']).nullable(),
    restarts: count,
    lastError: z.object({ at: z.number(), message: z.string() }).nullable(),
    /** Of the package that it runs from. */
    version: z.string().nullable(),
    /** Unix time in ms of the next start; null where none is due. */
    nextTryAt: z.number().nullable(),
    /** Ends in the last ten minutes, where those make a restart loop. */
    loopingEnds: count.nullable(),
    /** As the kernel shows it; null while there is no process. */
    process: z.object({ uid: count, user: z.string(), capEff: z.string(), noNewPrivs: z.boolean() }).nullable(),
    /** Engines that a hand-over has relieved and that still serve connections. */
    draining: z.array(z.object({ pid: count, since: z.number(), until: z.number(), connections: count.nullable() })),
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
  /** Up to when traffic is in the ledger, Unix ms, and why it is no newer where that failed. */
  usage: z.object({ flushedAt: z.number().nullable(), failure: z.string().nullable() }),
  /** New secrets that the hook on-rotate has yet to be told of, those where that was given up, and why it failed last. */
  announcements: z.object({
    due: count,
    givenUp: count,
    failure: z.string().nullable(),
    /** Unix time in ms of the next try; null where none is due. */
    nextAt: z.number().nullable(),
  }),
  dcs: z.array(dcStatus),
  /** Empty while no engine runs. */
  dcAddresses: z.array(dcAddress),
  cover: coverStatus,
  /** What is fit for tests only, a sentence each. */
  warnings: z.array(z.string()),
});

/** An engine put in the place of another. */
export const handOver = z.object({
  pid: count,
  /** The engine before; null where none was running. */
  previousPid: count.nullable(),
  version: z.string(),
  /** For how long new connections waited in the queue of the kernel. */
  pausedMs: z.number(),
  tookMs: z.number(),
  /** Connections that the engine before still serves. */
  draining: count,
});

export const reloadRequest = z.object({ handOver: z.boolean().default(false) }).prefault({});

/** What a reload would do. */
export const reloadPlan = z.object({
  revision: z.string(),
  /** False when the files say what the engine already serves. */
  changed: z.boolean(),
  /** Settings that were changed in the file and need another engine process. */
  restartNeeded: z.array(z.string()),
});

export const reloadReply = reloadPlan.extend({
  /** Null where the engine took the change over as it runs. */
  handOver: handOver.nullable().default(null),
  proofs: z.array(proof),
  /** Clients before and after, and how many were cut because they may not go on; null while no engine answers. */
  connections: z.object({ before: count, after: count, cut: count }).nullable(),
  /** Secrets that changed and were not tried out, because they are too many. */
  untried: count,
});

/** A connection to our own port, open and silent so far, by the end of it that is ours. */
export const claimRequest = z.object({ from: endpoint });
export const claimReply = z.object({ claimed: z.boolean() });

export const stopRequest = z.object({ now: z.boolean().default(false) }).prefault({});
/** Connections that were open when the order came. */
export const stopReply = z.object({ pid: count, connections: count, drainMs: count });

/** What the engine goes by now. */
export const guardReply = z.object({ bans: count, allowed: count });

export const outlooksRequest = z.object({ addresses: z.array(z.string().max(64)).min(1).max(1000) });

/** What the engine does with each of the addresses. */
export const outlooksReply = z.object({
  outlooks: z.array(
    z.object({
      /** Null is nothing. */
      verdict: z.enum(['allowed', ...VERDICTS]).nullable(),
      /** Connections that its network may open now; null is no limit. */
      mayOpen: count.nullable(),
    }),
  ),
});

export const engineRequest = z.object({
  action: z.enum(['upgrade', 'rollback']),
  /** Directory of another package of mtp. */
  package: z.string().optional(),
});
export const engineReply = z.object({
  before: z.string().nullable(),
  version: z.string(),
  /** Directory that the engine runs from. */
  directory: z.string(),
  handOver,
  proofs: z.array(proof),
});

export const logLevel = z.enum(['debug', 'info', 'warn', 'error']);
export const logRequest = z.object({ level: logLevel });
export const logReply = z.object({
  level: logLevel,
  /** By `log.level`. */
  configured: logLevel,
  /** Unix time in ms at which the configured level comes back; null where that is the one in force. */
  until: z.number().nullable(),
});

/** What users and secrets did since the start of the engine, by their ids. */
export const usageReply = z.object({
  rows: z.array(
    z.object({
      id: z.string(),
      up: count,
      down: count,
      /** Now. */
      connections: count,
      networks: count,
      /** Unix time in seconds. */
      lastSeen: count,
      /** How often somebody came with a secret that was closed, and when last, Unix time in seconds. */
      stale: count,
      staleAt: count,
    }),
  ),
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
export type HandOver = z.infer<typeof handOver>;
export type ReloadPlan = z.infer<typeof reloadPlan>;
export type ReloadReply = z.infer<typeof reloadReply>;
export type StopReply = z.infer<typeof stopReply>;
export type EngineReply = z.infer<typeof engineReply>;
export type LogLevel = z.infer<typeof logLevel>;
export type LogReply = z.infer<typeof logReply>;
export type UsageReply = z.infer<typeof usageReply>;
export type GuardReply = z.infer<typeof guardReply>;
export type Outlook = z.infer<typeof outlooksReply>['outlooks'][number];
