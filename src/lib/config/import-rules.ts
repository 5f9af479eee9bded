import { formatEndpoint, parseEndpoint } from './address.ts';
import { formatDuration } from './duration.ts';
import { domainOfSecret } from './import-secret.ts';
import { findByEnv, valueFromText } from './settings.ts';

/** What a foreign key becomes: settings of ours, or a sentence why not. Undefined when its value makes no sense. */
type Translation = Record<string, unknown> | string | undefined;

/** How one foreign key is translated. `all` holds every key of the file, for those that depend on another. */
export type Rule = (value: string, all: ReadonlyMap<string, string>) => Translation;

export const SECRET_NOTE = 'import it with: mtp secret add NAME --secret-file FILE';

const integer = (text: string): number | undefined => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);
const flag = (text: string): boolean | undefined =>
  /^(true|1|yes|on)$/i.test(text) ? true : /^(false|0|no|off)$/i.test(text) ? false : undefined;

const into =
  (key: string, read: (text: string) => unknown = (text) => text): Rule =>
  (text) => {
    const value = read(text);
    return value === undefined ? undefined : { [key]: value };
  };
const dropped =
  (why: string): Rule =>
  () =>
    why;
/** Translate only where the flag is on; off is what we do anyhow. */
const when =
  (result: Record<string, unknown>): Rule =>
  (text) => {
    const on = flag(text);
    return on === undefined ? undefined : on ? result : {};
  };

const orNone = (text: string): unknown => (integer(text) === 0 ? 'none' : integer(text));
const atLeastOne = (text: string): unknown => (integer(text) === 0 ? 'auto' : integer(text));
const logLevel = (text: string): unknown => {
  const level = text.toLowerCase().replace('warning', 'warn');
  return ['debug', 'info', 'warn', 'error'].includes(level) ? level : undefined;
};
const proxyUrl: Rule = (text) => ({ 'upstream.socks5': text.replace(/\?.*$/, '') });
const listenAddress: Rule = (text) => {
  const endpoint = parseEndpoint(text);
  return endpoint === undefined ? undefined : { 'listen.host': endpoint.host, 'listen.port': endpoint.port };
};
const secret: Rule = (text) => {
  const domain = domainOfSecret(text);
  return domain === undefined ? SECRET_NOTE : { 'cover.domain': domain };
};

const debug: Rule = (text) =>
  flag(text) === undefined ? undefined : flag(text) === true ? 'for half an hour: mtp log level debug' : {};

const NO_STATS = 'figures are not served on a port; see them with: mtp status';
const NO_BUFFERS = 'buffers have a fixed size';
const NO_REPLAY_SIZE = 'the memory for replays has a fixed size';
const NO_STATSD = 'figures are not sent to statsd';
const NO_AD_TAG = 'promoted channels are not supported';
const ONE_NAME = 'links hold one server name; set link.server';

/** Keys of a `.env` file for mtg or for the scripts around it. */
export const ENV_RULES: Record<string, Rule> = {
  MTG_SECRET: secret,
  MTP_SECRET: secret,
  SECRET: secret,
  MTG_PORT: into('listen.port', integer),
  MTG_BIND_PORT: into('listen.port', integer),
  MTG_BIND_IP: into('listen.host'),
  MTG_IP: into('listen.host'),
  MTG_BIND: listenAddress,
  MTG_BIND_TO: listenAddress,
  SERVER_HOST: into('link.server'),
  SERVER_PORT: into('link.port', integer),
  MTG_IPV4: into('link.server'),
  MTG_IPV4_PORT: into('link.port', integer),
  MTG_IPV6: dropped(ONE_NAME),
  MTG_IPV6_PORT: dropped(ONE_NAME),
  MTG_DOMAIN: into('cover.domain'),
  MTG_WORKERS: into('workers.count', atLeastOne),
  MTG_MAX_CONNECTIONS: into('limits.connections', atLeastOne),
  MTG_MAX_CONNECTIONS_PER_IP: into('limits.per_source', orNone),
  MTG_SECURE_ONLY: (text) => {
    const on = flag(text);
    if (on === undefined) return undefined;
    if (on) return { 'protocol.modes': ['ee', 'dd'] };
    const transports = ['padded', 'intermediate', 'abridged'];
    return { 'protocol.modes': ['ee', 'dd', 'plain'], 'protocol.transports': transports };
  },
  MTG_DISABLE_IPV6: when({ 'telegram.prefer': 'ipv4-only' }),
  MTG_UPSTREAM_PROXY: proxyUrl,
  MTG_LOG_LEVEL: into('log.level', logLevel),
  MTG_DEBUG: debug,
  MTG_VERBOSE: when({ 'log.level': 'info' }),
  MTG_TIMEOUT: dropped('one time limit for everything; set limits.idle_timeout and telegram.connect_timeout'),
  MTG_BUFFER_SIZE: dropped(NO_BUFFERS),
  MTG_BUFFER_READ: dropped(NO_BUFFERS),
  MTG_BUFFER_WRITE: dropped(NO_BUFFERS),
  MTG_ANTI_REPLAY_MAX_SIZE: dropped(NO_REPLAY_SIZE),
  MTG_ANTIREPLAY_MAXSIZE: dropped(NO_REPLAY_SIZE),
  MTG_ANTIREPLAY_EVICTIONTIME: dropped('replays are remembered for twice protocol.max_skew'),
  MTG_STATS_ENABLED: dropped(NO_STATS),
  MTG_STATS_IP: dropped(NO_STATS),
  MTG_STATS_PORT: dropped(NO_STATS),
  MTG_STATS_BIND: dropped(NO_STATS),
  MTG_STATSD_IP: dropped(NO_STATSD),
  MTG_STATSD_PORT: dropped(NO_STATSD),
  MTG_STATSD_NETWORK: dropped(NO_STATSD),
  MTG_STATSD_PREFIX: dropped(NO_STATSD),
  MTG_STATSD_TAGS: dropped(NO_STATSD),
  MTG_STATSD_TAGS_FORMAT: dropped(NO_STATSD),
  MTG_ADTAG: dropped(NO_AD_TAG),
  MTG_TAG: dropped(NO_AD_TAG),
};

/** The rule of a key of a `.env` file: of mtg, or the variable of one of our settings. Undefined where there is none. */
export function envRule(key: string): Rule | undefined {
  if (Object.hasOwn(ENV_RULES, key)) return ENV_RULES[key];
  const setting = findByEnv(key);
  return setting === undefined ? undefined : into(setting.key, (text) => valueFromText(setting, text));
}

const PREFERENCES: Record<string, string> = {
  'prefer-ipv4': 'ipv4',
  'prefer-ipv6': 'ipv6',
  'only-ipv4': 'ipv4-only',
  'only-ipv6': 'ipv6-only',
};

/** A time of Go such as `1m30s`, as one of ours. */
export function goDuration(text: string): string | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  return formatDuration(Math.round(parts.reduce((sum, [, n, unit = '']) => sum + Number(n) * (units[unit] ?? 0), 0)));
}

const coverPort: Rule = (text, all) => {
  const port = integer(text);
  const host =
    all.get('domain-fronting-ip') ?? all.get('domain-fronting.ip') ?? domainOfSecret(all.get('secret') ?? '');
  if (port === undefined) return undefined;
  return host === undefined
    ? 'set cover.target to the web site and this port'
    : { 'cover.target': formatEndpoint({ host, port }) };
};

/** Keys of the TOML file of mtg 2. */
export const TOML_RULES: Record<string, Rule> = {
  secret,
  'bind-to': listenAddress,
  debug,
  concurrency: into('limits.connections', atLeastOne),
  'prefer-ip': into('telegram.prefer', (text) => PREFERENCES[text]),
  'cloak-port': coverPort,
  'domain-fronting-port': coverPort,
  'domain-fronting.port': coverPort,
  'proxy-protocol-listener': dropped('name the balancers in listen.proxy_protocol_from'),
  'tcp-buffer': dropped(NO_BUFFERS),
  'public-ipv4': into('link.server'),
  'public-ipv6': dropped(ONE_NAME),
  'network.public-ip.ipv4': into('link.server'),
  'network.public-ip.ipv6': dropped(ONE_NAME),
  'network.proxies': (text) =>
    text.includes(',') ? 'one SOCKS5 proxy at most; set upstream.socks5' : proxyUrl(text, new Map()),
  'network.timeout.tcp': into('telegram.connect_timeout', goDuration),
  'network.timeout.idle': into('limits.idle_timeout', goDuration),
  'network.timeout.http': dropped('nothing is fetched by HTTP'),
  'network.doh-ip': dropped('names are resolved by the system'),
  'network.dns': dropped('names are resolved by the system'),
  'defense.time.allow-skewness': into('protocol.max_skew', goDuration),
  'defense.time.enabled': dropped('the clock of a client is always checked'),
  'defense.anti-replay.enabled': dropped('replays are always refused'),
  'defense.anti-replay.max-size': dropped(NO_REPLAY_SIZE),
  'defense.anti-replay.error-rate': dropped(NO_REPLAY_SIZE),
  'defense.blocklist.enabled': dropped('addresses are not refused by lists'),
  'defense.blocklist.urls': dropped('addresses are not refused by lists'),
  'stats.prometheus.enabled': dropped(NO_STATS),
  'stats.prometheus.bind-to': dropped(NO_STATS),
  'stats.prometheus.http-path': dropped(NO_STATS),
  'stats.prometheus.metric-prefix': dropped(NO_STATS),
  'stats.statsd.enabled': dropped(NO_STATSD),
  'stats.statsd.address': dropped(NO_STATSD),
  'stats.statsd.metric-prefix': dropped(NO_STATSD),
};
