import type { PackedRulings } from '../../lib/access/packed-rulings.ts';
import type { Verdict } from '../../lib/access/ruling.ts';
import type { SignalCounts } from '../../lib/guard/signals.ts';

/** The contract between the supervisor and any data plane, built in or external. Plain data: it crosses processes. */

export type Mode = 'ee' | 'dd' | 'plain';
export type Transport = 'abridged' | 'intermediate' | 'padded';

export interface Endpoint {
  host: string;
  port: number;
}

/** Where unauthenticated connections go: a TCP endpoint or a unix socket. */
export type CoverTarget = Endpoint | { path: string };

/** How the cover answers a modern TLS 1.3 hello, as probed (protocol.md §3.7). */
export interface CoverProfile {
  /** Bytes of encrypted handshake records after ServerHello and CCS, record headers included. */
  flightBytes: number;
  /** The cover negotiates X25519MLKEM768 when offered. */
  postQuantum: boolean;
}

export interface CoverSettings {
  /** SNI of the links and default cover. */
  domain: string;
  target: CoverTarget;
  proxyProtocol: 'off' | 'v1' | 'v2';
  connectMs: number;
  idleMs: number;
  /** By domain; a domain without one is served with a default shape. */
  profiles: Record<string, CoverProfile>;
}

export interface EngineSettings {
  listen: Endpoint & { backlog: number };
  workers: number;
  /** Peers that must send a PROXY protocol header, as CIDRs. Empty: nobody. */
  proxyProtocolFrom: string[];
  modes: Mode[];
  transports: Transport[];
  maxSkewSeconds: number;
  fastMode: boolean;
  limits: {
    /** Client connections at once, all workers together. */
    connections: number;
    /** Connections at once per IPv4 address or IPv6 /64; null is no limit. */
    perSource: number | null;
    /** New connections of such a network within a window, which may come all at once; null is no limit. */
    opened: { connections: number; windowMs: number } | null;
    /** Connections handed to the cover at once. */
    coverConnections: number;
    handshakeMs: number;
    idleMs: number;
  };
  guard: {
    /** Points by which the bucket of a network has to rise for another report. */
    step: number;
  };
  cover: CoverSettings;
  telegram: {
    prefer: 'ipv4' | 'ipv6' | 'ipv4-only' | 'ipv6-only';
    /** Addresses by DC number (absolute, test DCs as 10000 + n), IPv4 and IPv6, in order of preference. */
    dcs: Record<string, Endpoint[]>;
    /** DC to use for an unknown index; null refuses. */
    fallbackDc: number | null;
    connectMs: number;
  };
  /** Connections to hold open ahead for each DC in use, all workers together; 0 opens none. */
  warm: number;
  socks5: (Endpoint & { username?: string; password?: string }) | null;
  /** Where accepted hellos are remembered over a restart; null keeps them in memory only. */
  replayFile: string | null;
  usage: {
    /** Where figures are left that no daemon asks for, at an end and as long as there is none; null leaves none. */
    directory: string | null;
    /** How old figures may be that are left there. */
    intervalMs: number;
  };
}

export interface EngineSecret {
  /** Immutable id. */
  id: string;
  /** 32 hex digits. */
  key: string;
  /** With a draining one nobody new comes in. A tombstone is a secret of old: it is known, and lets nobody in or go on. */
  state: 'active' | 'retiring' | 'draining' | 'tombstone';
  /** Networks that may use it at once, besides what the user may; null is no limit. */
  maxNetworks: number | null;
}

export interface EngineUser {
  /** Immutable id; the name that the operator sees is a label elsewhere. */
  id: string;
  /** SNI of this user's links. */
  domain: string;
  enabled: boolean;
  /** Unix time in ms; null is never. */
  expiresAt: number | null;
  /** For all connections of the user together; null is no limit. */
  limits: {
    connections: number | null;
    /** Distinct IPv4 addresses and IPv6 /64s at once. */
    networks: number | null;
    upBytesPerSecond: number | null;
    downBytesPerSecond: number | null;
  };
  secrets: EngineSecret[];
}

/** What the connections of an engine take of limits that engines side by side share. Networks go by their keyed hash, two words. */
export interface Holdings {
  epoch: string;
  /** Network by network where networks are limited: the hash and the connections, three numbers each. */
  networks: Int32Array;
  /** Limited users and secrets with connections. */
  ids: string[];
  /** Network by network of each: its place in `ids`, the hash, which is the user's own, and the connections: four numbers each. */
  users: Int32Array;
  /** What those moved so far whose speed is limited. */
  moved: Pick<UsageRow, 'id' | 'era' | 'up' | 'down'>[];
}

/** Users and secrets that a revision may have, those together that let nobody in any more. */
export const REVISION_ROWS = 65_536;

/** How many payload bytes of a user, counted as in `usage`, are the last that may pass; null is no limit. */
export type Allowances = Record<string, number | null>;

/** What a user or one of its secrets did since the start of the engine, or since it came back. */
export interface UsageRow {
  id: string;
  /**
   * Figures of one id and one era only grow. Somebody who was removed, and comes back when the figures of before have been
   * written down, begins from nothing in a later era.
   */
  era: number;
  up: number;
  down: number;
  connections: number;
  /** Distinct IPv4 addresses and IPv6 /64s now. */
  networks: number;
  /** Unix time in seconds of the newest connection; 0 for none. */
  lastSeen: number;
  /** How often somebody came with this secret when it let nobody in any more, and when last, Unix time in seconds. */
  stale: number;
  staleAt: number;
}

export interface EngineUsage {
  /** Of this process and no other, 32 hex digits. */
  epoch: string;
  /** Of this report; each has a larger one than that before. */
  serial: number;
  /** Those that have been here, users and secrets alike, but for removed ones of which all has been written down. */
  rows: UsageRow[];
}

/** Whose connections are let in whatever else is ruled, and whose are not. Null is for no rules. */
export interface GuardRules {
  allowed: PackedRulings | null;
  bans: PackedRulings | null;
  access: PackedRulings | null;
}

/** What is done with a network; null is nothing. */
export type EngineVerdict = 'allowed' | Verdict | null;

/** An address as the engine sees it. */
export interface Outlook {
  verdict: EngineVerdict;
  /** Connections that its network may open now; null is no limit. */
  mayOpen: number | null;
}

/** How a network behaves, told whenever its bucket has risen by a step. */
export interface Offence {
  /** The address that was last seen of it. */
  host: string;
  /** Unix time in seconds. */
  at: number;
  /** Points in its bucket. */
  score: number;
  /** Openings of each kind since the bucket was empty. */
  counts: SignalCounts;
  /** Whether somebody there has proved to know a secret within a day. */
  good: boolean;
}

/** Everything that the engine acts on; `id` is the SHA-256 of its canonical form. */
export interface EngineRevision {
  id: string;
  settings: EngineSettings;
  users: EngineUser[];
  /** Key of the hash that networks are known by: the same in all engines of a daemon. Not part of what the id stands for. */
  networkKey?: Buffer;
  /** In force from the start; without them those before stay. Not part of what the id stands for. */
  rules?: GuardRules;
}

/** How a connection's opening ended. All but `ok` were shown the cover (or reset, where there is none). */
export const HANDSHAKE_RESULTS = [
  'ok',
  'bad_hmac',
  'skew',
  'replay',
  'bad_tag',
  'mode_off',
  'disabled',
  'stale',
  'expired',
  'quota',
  'devices',
  'networks',
  /** Its network is shut out. */
  'banned',
  /** Too many connections at once, or too many new ones. */
  'limit',
  'rate',
  'unknown_dc',
  'dc_unreachable',
  'http',
  'garbage',
  'silent',
  'timeout',
  'loop',
  'aborted',
] as const;
export type HandshakeResult = (typeof HANDSHAKE_RESULTS)[number];

/** Why a connection ended. */
export const CLOSE_REASONS = [
  /** By the client, with FIN. */
  'client',
  /** By the client's network: reset, timed out. */
  'client_reset',
  /** The client broke the record framing after it had been let in. */
  'client_fault',
  /** By the DC or the cover, with FIN. */
  'upstream',
  'upstream_reset',
  /** Nothing moved for too long. */
  'idle',
  /** Its user may not go on: disabled, expired, over a quota, removed. */
  'user',
  /** Its network was shut out. */
  'banned',
  /** By us: no cover to show, no DC to reach, no inner header. */
  'refused',
  /** The engine was drained or stopped. */
  'stopped',
  /** An error of ours in this connection. */
  'fault',
  /** Its worker ended. */
  'worker',
] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];
export type AcceleratorState = 'native' | 'none';
/** One address of a DC. */
export interface DcAddressStats extends Endpoint {
  dc: number;
  /** Open: other addresses are tried first. Half-open: it is being tried out. */
  state: 'closed' | 'open' | 'half-open';
  /** In a row. */
  failures: number;
  /** How often the breaker opened since the engine's start. */
  opens: number;
  /** System error of the newest failure. */
  lastError: string | null;
  /** Until it is tried out, or while it is, until that trial counts as lost; null for a healthy address. */
  retryMs: number | null;
  /** Connections held open ahead. */
  warm: number;
}

export interface EngineStats {
  pid: number;
  /** Unix time in ms; also the epoch of the counters. */
  startedAt: number;
  revision: string;
  workers: number;
  /** Where the ciphers of relayed streams are computed (docs/accelerator.md). */
  accelerator: AcceleratorState;
  listening: Endpoint;
  connections: { current: number; relayed: number; cover: number; total: number; cap: number };
  /** One for every connection whose opening is settled. */
  handshakes: Record<HandshakeResult, number>;
  /** One for every connection that is over: `total` is `current` and all of these. */
  closes: Record<CloseReason, number>;
  /** Workers that ended on their own and were started again. */
  workerFailures: number;
  /** Errors of ours that cost one connection each. */
  faults: number;
  /** Payload bytes between clients and Telegram. */
  bytes: { up: number; down: number };
  /** Outcome of the newest dial to the cover; null before the first. */
  cover: { lastDial: 'ok' | 'failed' | 'loop' | null; dials: number; failures: number; refusedAtCap: number };
  replay: { entries: number; evicted: number };
  dcs: DcAddressStats[];
  rssBytes: number;
}

export interface EngineEvent {
  level: 'debug' | 'info' | 'warn' | 'error';
  /** Stable name, such as `worker_died` or `cover_unreachable`. */
  event: string;
  detail: Record<string, string | number | boolean | null>;
}

/** A process that serves clients. */
export interface Serving {
  pid: number;
  listening: Endpoint;
}

/** A process that could serve clients and does not yet. */
export interface Prepared {
  pid: number;
  /** Of its package. */
  version: string;
  /** One for every worker, on loopback, each with the same answers as the port of clients. */
  probes: Endpoint[];
}

/** A data plane under supervision. Every promise rejects with an MtpError that says what happened. */
export interface Engine {
  /** Resolves once clients can connect. With `beside` an engine of an earlier daemon still runs on the same state. */
  start(revision: EngineRevision, options?: { beside?: boolean }): Promise<Serving & { version: string }>;
  /** Start beside another engine, to be tried out before clients see it. */
  prepare(revision: EngineRevision): Promise<Prepared>;
  /** Serve clients: after `prepare`, or again after `pause`. */
  open(): Promise<Serving>;
  /** Accept no more for now; what the kernel queues is for whoever opens next. */
  pause(): Promise<void>;
  /** The other engine on the same state is gone. */
  alone(): Promise<void>;
  /** Resolves to the revision that every worker has confirmed. */
  apply(revision: EngineRevision): Promise<string>;
  stats(): Promise<EngineStats>;
  /** `recorded` is the serial of a report that is in the ledger: rows of removed users that it has the last of are given up. */
  usage(recorded?: number): Promise<EngineUsage>;
  /** A connection of ours, open and silent so far, is in no figures and nobody's use of a secret: `from` is our end of it. */
  claim(from: Endpoint): Promise<void>;
  /** How the opening of such a connection ended, which is over now; null where that is not known. */
  fate(from: Endpoint): Promise<HandshakeResult | null>;
  /** Replace what users may still use; those that are not named have no limit. */
  allow(allowances: Allowances): Promise<void>;
  holdings(): Promise<Holdings>;
  /** Have limits hold as if the connections of other engines were here: these and no others from now on. */
  share(elsewhere: readonly Holdings[]): Promise<void>;
  /** Replace what is ruled of networks. Resolves when every worker goes by it. */
  guard(rules: GuardRules): Promise<void>;
  /** What each of these addresses meets, as the engine itself finds it. */
  outlooks(addresses: string[]): Promise<Outlook[]>;
  /**
   * Accept no more; resolves when no connection is left or the time is over, with the number that was cut. With `gentle` those
   * that have not proved themselves yet may still do so.
   */
  drain(timeoutMs: number, options?: { gentle?: boolean }): Promise<{ cut: number }>;
  /** End now. */
  stop(): Promise<void>;
  onEvent(listener: (event: EngineEvent) => void): void;
  onOffence(listener: (offence: Offence) => void): void;
  /** Called once when the process ends, expected or not. */
  onExit(listener: (reason: { code: number | null; signal: string | null }) => void): void;
}
