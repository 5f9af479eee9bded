import path from 'node:path';
import { parseEndpoint } from '../config/address.ts';
import type { ConfigEdit } from '../config/change.ts';
import { parseSecret } from '../secret/secret.ts';
import { AD_TAG_NOTE, type ElseWhere, type Found, notUnderstood, onlySecret, PYTHON_DOMAIN } from './found.ts';

/** As its author runs it, and as pip installs it. */
const PYTHON_NAMES = ['mtprotoproxy.py', 'mtprotoproxy'];

/** What the command line of mtg, of the official MTProxy or of mtprotoproxy says. Never quotes it: it may hold a secret. */
export function readCommandLine(argv: readonly string[]): Found | ElseWhere {
  const names = argv.map((word) => path.basename(word));
  const at = names.findIndex((name) => ['mtg', 'mtproto-proxy', ...PYTHON_NAMES].includes(name));
  const rest = argv.slice(at + 1);
  if (names[at] === 'mtg') return readMtg(rest);
  if (names[at] === 'mtproto-proxy') return readOfficial(rest);
  if (PYTHON_NAMES.includes(names[at] ?? '')) return readPython(argv[at] ?? '', rest);
  throw notUnderstood('the command line', 'it is not that of mtg, mtproto-proxy or mtprotoproxy.py');
}

interface Words {
  flags: [name: string, value: string][];
  positional: string[];
}

/** Take flags and words apart: `--flag=x`, `--flag x`, `-f x` and, for the letters of `flags`, `-fx`. */
function takeApart(words: readonly string[], alone: readonly string[]): Words {
  const found: Words = { flags: [], positional: [] };
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const [, long, value] = /^(--[^=]+)=(.*)$/.exec(word) ?? [];
    const [, short, glued] = /^(-[a-zA-Z46])(.+)$/.exec(word) ?? [];
    if (long !== undefined) found.flags.push([long, value ?? '']);
    else if (alone.includes(word)) found.flags.push([word, '']);
    else if (short !== undefined) found.flags.push([short, glued ?? '']);
    else if (/^-./.test(word)) found.flags.push([word, words[++at] ?? '']);
    else found.positional.push(word);
  }
  return found;
}

function valuesOf({ flags }: Words, ...names: string[]): string[] {
  return flags.filter(([name]) => names.includes(name)).map(([, value]) => value);
}

/** Flags of mtg that stand alone. What `-s` means differs: in version 2 a SOCKS5 proxy follows it. */
const MTG_ALONE = ['-d', '--debug', '-v', '--verbose', '--secure-only'];

/** mtg 2: `run FILE.toml` or `simple-run BIND SECRET`; mtg 1: `run SECRET [ADTAG]`. */
function readMtg([verb, ...rest]: readonly string[]): Found | ElseWhere {
  const isSimple = verb === 'simple-run';
  const words = takeApart(rest, isSimple ? MTG_ALONE : [...MTG_ALONE, '-s']);
  const [first, second] = words.positional;
  if (first === undefined) throw notUnderstood('the command line of mtg', 'it names no file and no secret');
  if (verb === 'run' && first.endsWith('.toml')) return { file: first };
  const [bind] = isSimple ? [first] : valuesOf(words, '-b', '--bind');
  const secret = parseSecret((isSimple ? second : first) ?? '');
  const [seen] = valuesOf(words, '-4', '--public-ipv4');
  const [socks, ...otherSocks] = isSimple ? valuesOf(words, '-s', '--socks5-proxy') : [];
  return {
    program: 'mtg',
    edits: [
      ...endpoint(bind ?? '0.0.0.0:3128', 'listen.host', 'listen.port'),
      ...(seen === undefined ? [] : endpoint(seen, 'link.server', 'link.port')),
      ...(secret.mode === 'ee' ? [{ key: 'cover.domain', value: secret.domain }] : []),
      ...(socks === undefined ? [] : [{ key: 'upstream.socks5', value: socks.replace(/\?.*$/, '') }]),
    ],
    ...onlySecret(secret),
    notes: [
      ...(!isSimple && second !== undefined ? [AD_TAG_NOTE] : []),
      ...(otherSocks.length > 0 ? ['one SOCKS5 proxy is used, the first; others are left out'] : []),
    ],
  };
}

function endpoint(text: string, host: string, port: string): ConfigEdit[] {
  const found = parseEndpoint(text.replace(/^:/, '0.0.0.0:'));
  if (found === undefined) throw notUnderstood('the command line of mtg', 'an address in it is not host:port');
  return [
    { key: host, value: found.host },
    { key: port, value: found.port },
  ];
}

const OFFICIAL_ALONE = [
  ...['-R', '--random-padding-only', '-6', '--ipv6', '-v', '--verbosity', '-h', '--help', '-r'],
  ...['--http-stats', '-d', '--daemonize'],
];

function readOfficial(rest: readonly string[]): Found {
  const words = takeApart(rest, OFFICIAL_ALONE);
  const keys = valuesOf(words, '-S', '--mtproto-secret').flatMap((text) => text.split(','));
  const [ports = ''] = valuesOf(words, '-H', '--http-ports');
  const [port = '', ...otherPorts] = ports.split(',');
  const [domain, ...otherDomains] = valuesOf(words, '-D', '--domain');
  if (keys.length === 0 || !/^\d+$/.test(port)) {
    throw notUnderstood('the command line of MTProxy', 'it names no secret (-S) or no port for clients (-H)');
  }
  const isPadded = valuesOf(words, '-R', '--random-padding-only').length > 0;
  return {
    program: 'MTProxy',
    edits: [
      { key: 'listen.port', value: Number(port) },
      ...(domain === undefined ? [] : [{ key: 'cover.domain', value: domain }]),
    ],
    secrets: keys.map((text) => ({ name: undefined, key: parseSecret(text).key })),
    modes: domain === undefined ? (isPadded ? ['dd'] : ['dd', 'plain']) : ['ee'],
    notes: [
      ...(valuesOf(words, '-P', '--proxy-tag').length > 0 ? [AD_TAG_NOTE] : []),
      ...(otherPorts.length > 0 ? [`one port is listened on; not taken: ${otherPorts.join(', ')}`] : []),
      ...(otherDomains.length > 0 ? [`there is one cover domain; not taken: ${otherDomains.join(', ')}`] : []),
    ],
  };
}

/** Without arguments its settings are in config.py beside it, with one in that file; else PORT SECRETS [TAG [DOMAIN]]. */
function readPython(script: string, [first, secrets, tag, domain]: readonly string[]): Found | ElseWhere {
  if (first === undefined) return { file: path.join(path.dirname(script), 'config.py') };
  if (secrets === undefined) return { file: first };
  return {
    program: 'mtprotoproxy',
    edits: [
      { key: 'listen.port', value: Number(first) },
      { key: 'cover.domain', value: domain ?? PYTHON_DOMAIN },
    ],
    secrets: secrets.split(',').map((text) => ({ name: undefined, key: parseSecret(text.padStart(32, '0')).key })),
    modes: domain === undefined ? ['ee', 'dd'] : ['ee'],
    notes: tag === undefined || tag === '' ? [] : [AD_TAG_NOTE],
  };
}
