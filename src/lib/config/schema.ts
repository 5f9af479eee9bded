import { VERDICTS } from '../access/ruling.ts';
import { ALGORITHMS, isLongEnough } from '../keyring/algorithms.ts';
import { z } from '../system/zod.ts';
import { COST } from '../vault/cost.ts';
import {
  cidr,
  coverDomain,
  coverTarget,
  dcEndpoint,
  distinct,
  duration,
  durationText,
  ipAddress,
  port,
  portInList,
  positive,
  rate,
  serverName,
  socks5,
  span,
} from './fields.ts';
import { ENVIRONMENTS, unfitLevel } from './deployment.ts';

/** What an operator is told about a setting. */
export interface About {
  /** One sentence. */
  description: string;
  /** Completes "allowed: …". */
  allowed: string;
  /** How text from a variable or an argument is read; `number` leaves words such as `auto` as they are. */
  input: 'text' | 'number' | 'boolean' | 'list';
  /** What applies when the setting has no value of its own. */
  unset?: string;
  /** The value may hold a password. */
  sensitive?: true;
}

export const about = z.registry<About>();

/** A time limit in milliseconds with its default. */
function timeout(fallback: string, atLeastMs: number, description: string) {
  return duration(atLeastMs)
    .prefault(fallback)
    .register(about, { description, allowed: durationText(atLeastMs), input: 'text' });
}

const SPAN_TEXT = 'a span such as "12h", "7d" or "2w"';
const UP_TO_65535 = 'a whole number from 1 to 65535';

/** The tables of the file. Field names are those of the file; durations come out in milliseconds. */
export const tables = {
  listen: z.strictObject({
    host: ipAddress.prefault('::').register(about, {
      description: 'Address to accept clients on; :: is every IPv6 and IPv4 address.',
      allowed: 'an IPv4 or IPv6 address',
      input: 'text',
    }),
    port: port.prefault(443).register(about, {
      description: 'Port to accept clients on.',
      allowed: UP_TO_65535,
      input: 'number',
    }),
    proxy_protocol_from: distinct(cidr).prefault([]).register(about, {
      description: 'Balancers that must send a PROXY protocol header (v1 or v2) before the client speaks.',
      allowed: 'a list of addresses or blocks such as "10.0.0.0/8"',
      input: 'list',
    }),
    backlog: z.int().min(1).max(65_535).prefault(4096).register(about, {
      description: 'Connections that the kernel may hold until they are accepted.',
      allowed: UP_TO_65535,
      input: 'number',
    }),
  }),
  protocol: z.strictObject({
    modes: distinct(z.enum(['ee', 'dd', 'plain']))
      .min(1)
      .prefault(['ee'])
      .register(about, {
        description: 'Kinds of secret that are accepted: ee looks like TLS, dd and plain are easier to recognise.',
        allowed: 'a list of at least one of "ee", "dd" and "plain"',
        input: 'list',
      }),
    transports: distinct(z.enum(['padded', 'intermediate', 'abridged']))
      .min(1)
      .prefault(['padded'])
      .register(about, {
        description: 'Framings that a client may choose; padded hides the lengths of packets.',
        allowed: 'a list of at least one of "padded", "intermediate" and "abridged"',
        input: 'list',
      }),
    max_skew: timeout('120s', 1000, 'How far the clock of a client may be off.'),
    fast_mode: z.boolean().prefault(true).register(about, {
      description: 'Pass the data from Telegram to the client without encrypting it a second time.',
      allowed: 'true or false',
      input: 'boolean',
    }),
  }),
  cover: z.strictObject({
    domain: coverDomain.prefault('www.apple.com').register(about, {
      description: 'Web site that everybody without a valid secret is shown, and the name inside new links.',
      allowed: 'a host name in ASCII of 4 to 182 bytes',
      input: 'text',
    }),
    target: coverTarget.optional().register(about, {
      description: 'Where the connections for the web site go.',
      allowed: '"host:port", "[address]:port" or "unix:/path"',
      input: 'text',
      unset: 'cover.domain, port 443',
    }),
    proxy_protocol: z.enum(['off', 'v1', 'v2']).prefault('off').register(about, {
      description: "Version of the PROXY protocol header that tells the web site the client's address.",
      allowed: '"off", "v1" or "v2"',
      input: 'text',
    }),
    connect_timeout: timeout('5s', 100, 'How long connecting to the web site may take.'),
    idle_timeout: timeout('5m', 1000, 'How long a connection to the web site may be silent.'),
    max_connections: z
      .union([z.literal('auto'), positive])
      .prefault('auto')
      .register(about, {
        description:
          'Connections handed to the web site at once; as many more wait for a place. auto derives it from limits.connections.',
        allowed: '"auto" or a whole number from 1',
        input: 'number',
      }),
  }),
  limits: z.strictObject({
    connections: z
      .union([z.literal('auto'), positive])
      .prefault('auto')
      .register(about, {
        description: 'Client connections at once; auto derives it from the memory of the machine.',
        allowed: '"auto" or a whole number from 1',
        input: 'number',
      }),
    per_source: z
      .union([z.literal('none').transform(() => null), positive])
      .prefault(100)
      .register(about, {
        description: 'Connections at once from one IPv4 address or one IPv6 /64.',
        allowed: '"none" or a whole number from 1',
        input: 'number',
      }),
    new_connections: z
      .union([z.literal('none').transform(() => null), z.int().min(1).max(1_000_000)])
      .prefault(600)
      .register(about, {
        description: 'New connections from such a network within limits.window; they may come all at once.',
        allowed: '"none" or a whole number from 1 to 1000000',
        input: 'number',
      }),
    window: timeout('60s', 1000, 'Time in which limits.new_connections come back.'),
    handshake_timeout: timeout('30s', 1000, 'How long a client may take to prove that it knows a secret.'),
    idle_timeout: timeout('10m', 1000, 'How long a connection between a client and Telegram may be silent.'),
  }),
  guard: z.strictObject({
    ceiling: z
      .enum(['observe', ...VERDICTS])
      .prefault('mask')
      .register(about, {
        description:
          'The hardest that is done by itself: observe only tells, mask shows the web site, limit to few, drop closes.',
        allowed: '"observe", "mask", "limit" or "drop"',
        input: 'text',
      }),
    threshold: z.int().min(4).max(500).prefault(20).register(about, {
      description: 'Points at which a network is banned; one goes away each minute.',
      allowed: 'a whole number from 4 to 500',
      input: 'number',
    }),
    ban_time: span(1000).prefault('10m').register(about, {
      description: 'Length of the first ban of a network; each further one is twice as long.',
      allowed: SPAN_TEXT,
      input: 'text',
    }),
    max_ban_time: span(1000).prefault('7d').register(about, {
      description: 'Length that bans do not grow beyond, but for a tenth.',
      allowed: SPAN_TEXT,
      input: 'text',
    }),
  }),
  firewall: z.strictObject({
    backend: z.enum(['auto', 'nftables', 'iptables']).prefault('auto').register(about, {
      description: 'What the limits of the firewall are made with; auto is nftables where it works, else iptables.',
      allowed: '"auto", "nftables" or "iptables"',
      input: 'text',
    }),
    per_source: z
      .union([z.literal('none').transform(() => null), positive])
      .prefault(100)
      .register(about, {
        description: 'Connections at once that the firewall lets through from one IPv4 address or one IPv6 /64.',
        allowed: '"none" or a whole number from 1',
        input: 'number',
      }),
    rate: z
      .union([z.literal('none').transform(() => null), rate])
      .prefault('25/minute')
      .register(about, {
        description: 'New connections that the firewall lets through from one IPv4 address or one IPv6 /64.',
        allowed: '"none", or a count for a second, minute or hour such as "25/minute"',
        input: 'text',
      }),
    burst: z.int().min(1).max(10_000).prefault(100).register(about, {
      description: 'New connections that a source may make in one go before firewall.rate counts.',
      allowed: 'a whole number from 1 to 10000',
      input: 'number',
    }),
    allow: distinct(cidr).prefault([]).register(about, {
      description: 'Sources that the firewall does not limit, such as an office behind one address.',
      allowed: 'a list of addresses or blocks such as "198.51.100.7" or "2001:db8::/48"',
      input: 'list',
    }),
    admin_ports: distinct(portInList).max(15).prefault([]).register(about, {
      description: 'Ports that only this machine and firewall.allow may reach, such as that of a panel.',
      allowed: 'a list of up to 15 port numbers such as [8888, 3001]',
      input: 'list',
    }),
  }),
  telegram: z.strictObject({
    prefer: z.enum(['ipv4', 'ipv6', 'ipv4-only', 'ipv6-only']).prefault('ipv4').register(about, {
      description: 'Family of addresses to reach Telegram by.',
      allowed: '"ipv4", "ipv6", "ipv4-only" or "ipv6-only"',
      input: 'text',
    }),
    fallback_dc: z
      .union([z.literal('refuse').transform(() => null), z.int().min(1).max(32_767)])
      .prefault(2)
      .register(about, {
        description: 'DC to use when a client asks for one that is not known.',
        allowed: '"refuse" or the number of a DC',
        input: 'number',
      }),
    connect_timeout: timeout('10s', 100, 'How long connecting to one address of Telegram may take.'),
    dc: z.record(z.string(), z.array(dcEndpoint).min(1)).prefault({}).register(about, {
      description: 'Addresses of DC number N in place of the built-in ones, the preferred first.',
      allowed: 'a list of at least one "address:port" or "[address]:port"',
      input: 'list',
      unset: 'built in',
    }),
  }),
  upstream: z.strictObject({
    socks5: socks5.optional().register(about, {
      description: 'SOCKS5 proxy to reach Telegram through.',
      allowed: '"socks5://host:port" or "socks5://user:password@host:port"',
      input: 'text',
      unset: 'direct',
      sensitive: true,
    }),
  }),
  engine: z.strictObject({
    warm: z.int().min(0).max(64).prefault(0).register(about, {
      description: 'Connections to hold open ahead for each DC that clients use, all workers together.',
      allowed: 'a whole number from 0 to 64',
      input: 'number',
    }),
    user: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]{0,31}$/)
      .prefault('auto')
      .register(about, {
        description: 'User that the engine runs as where the daemon is root; auto is mtp where there is such a user.',
        allowed: '"auto" or the name of a user of this system',
        input: 'text',
      }),
  }),
  rotation: z.strictObject({
    max_age: z
      .union([z.literal('none').transform(() => null), span(3_600_000)])
      .prefault('none')
      .register(about, {
        description: 'Age at which a secret is replaced by itself; a user may have an age of their own.',
        allowed: `"none" or ${SPAN_TEXT}, from 1h`,
        input: 'text',
      }),
    grace: span(0).prefault('7d').register(about, {
      description: 'How long a replaced secret is accepted beside the new one.',
      allowed: SPAN_TEXT,
      input: 'text',
    }),
    limit_networks: z
      .union([z.literal('none').transform(() => null), z.int().min(0)])
      .prefault('none')
      .register(about, {
        description: 'Networks that may use a replaced secret at once: IPv4 addresses and IPv6 /64.',
        allowed: '"none" or a whole number from 0',
        input: 'number',
      }),
    drain: span(0).prefault('1h').register(about, {
      description: 'How long connections may go on with a secret that lets nobody in any more.',
      allowed: SPAN_TEXT,
      input: 'text',
    }),
  }),
  link: z.strictObject({
    server: serverName.optional().register(about, {
      description: 'Host name or address of this server in links.',
      allowed: 'a host name or an IP address',
      input: 'text',
      unset: 'found out by mtp',
    }),
    port: port.optional().register(about, {
      description: 'Port in links, where it differs from the one listened on.',
      allowed: UP_TO_65535,
      input: 'number',
      unset: 'listen.port',
    }),
  }),
  workers: z.strictObject({
    count: z
      .union([z.literal('auto'), z.int().min(1).max(64)])
      .prefault('auto')
      .register(about, {
        description: 'Worker threads; auto takes one for each processor.',
        allowed: '"auto" or a whole number from 1 to 64',
        input: 'number',
      }),
  }),
  usage: z.strictObject({
    flush_interval: timeout(
      '5s',
      1000,
      'How often traffic is written down; a crash of the engine loses no more of it.',
    ),
  }),
  shutdown: z.strictObject({
    drain_timeout: timeout('30s', 0, 'How long open connections may go on after the order to stop.'),
    retire_timeout: timeout('1h', 0, 'How long the connections of an engine may go on that another has relieved.'),
  }),
  crypto: z.strictObject({
    algorithm: z.enum(ALGORITHMS).prefault('aes-256-gcm').register(about, {
      description: 'Cipher of files that are sealed; keys keep theirs. What was sealed before opens with its own.',
      allowed: '"aes-256-gcm", "aes-128-gcm", "chacha20-poly1305" or "xchacha20-poly1305"',
      input: 'text',
    }),
    least_key_bits: z
      .union([z.literal(128), z.literal(256)])
      .prefault(256)
      .register(about, {
        description:
          'Shortest key to seal with; 256 rules AES-128-GCM out. What was sealed with it opens all the same.',
        allowed: '128 or 256',
        input: 'number',
      }),
    kdf_cost: z
      .int()
      .min(COST.least)
      .max(COST.most)
      .prefault(COST.usual)
      .register(about, {
        description: 'log2 of the cost of trying a passphrase (scrypt); "mtp vault calibrate" measures it here.',
        allowed: `a whole number from ${COST.least} to ${COST.most}`,
        input: 'number',
      }),
  }),
  deployment: z.strictObject({
    env: z.enum(ENVIRONMENTS).prefault('production').register(about, {
      description: 'What this installation is for: production refuses what is fit for tests only, staging warns of it.',
      allowed: '"production", "staging" or "development"',
      input: 'text',
    }),
  }),
  log: z.strictObject({
    level: z.enum(['debug', 'info', 'warn', 'error']).prefault('info').register(about, {
      description: 'Least severe events to log.',
      allowed: '"debug", "info", "warn" or "error"',
      input: 'text',
    }),
  }),
};

/** Every table must be there, even if empty; the settings in it may be missing. */
export const settingsSchema = z
  .strictObject(tables)
  .superRefine(({ deployment, log, crypto }, context) => {
    const problem = unfitLevel(deployment.env, log.level);
    if (problem !== undefined) context.addIssue({ code: 'custom', path: ['log', 'level'], ...problem });
    if (!isLongEnough(crypto.algorithm, crypto.least_key_bits)) {
      const message = `has a key of fewer bits than crypto.least_key_bits, ${crypto.least_key_bits}`;
      context.addIssue({ code: 'custom', path: ['crypto', 'algorithm'], message });
    }
  })
  .transform(({ cover, ...rest }) => ({
    ...rest,
    cover: { ...cover, target: cover.target ?? { host: cover.domain, port: 443 } },
  }));

/** What the program runs on: durations in milliseconds, endpoints taken apart, `none` and `refuse` as null. */
export type Settings = z.output<typeof settingsSchema>;
