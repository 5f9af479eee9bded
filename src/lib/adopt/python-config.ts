import { parseSecret, type SecretMode } from '../secret/secret.ts';
import { AD_TAG_NOTE, type Found, notUnderstood, PYTHON_DOMAIN } from './found.ts';

const MODES: [name: string, mode: SecretMode][] = [
  ['tls', 'ee'],
  ['secure', 'dd'],
  ['classic', 'plain'],
];

/** The config.py of mtprotoproxy where it says its settings as plain values; code in it is not run. */
export function readPythonConfig(text: string): Found {
  const source = text.replace(/#.*$/gm, '');
  const table = (name: string): string => new RegExp(`^${name}\\s*=\\s*\\{([^}]*)\\}`, 'm').exec(source)?.[1] ?? '';
  const word = (name: string): string | undefined =>
    new RegExp(`^${name}\\s*=\\s*["']([^"'\\n]*)["']\\s*$`, 'm').exec(source)?.[1];
  const port = /^PORT\s*=\s*(\d{1,5})\s*$/m.exec(source)?.[1];
  const users = [...table('USERS').matchAll(/["']([^"'\n]+)["']\s*:\s*["']([0-9a-fA-F]{32})["']/g)];
  const count = table('USERS').split(':').length - 1;
  if (port === undefined || users.length === 0 || users.length !== count) {
    throw notUnderstood('the file of mtprotoproxy', 'PORT and USERS have to be a number and pairs of texts');
  }
  const modes = MODES.filter(([name]) => {
    const said = new RegExp(`["']${name}["']\\s*:\\s*(True|False)`).exec(table('MODES'))?.[1];
    return said === undefined ? !isOff(source, name) : said === 'True';
  }).map(([, mode]) => mode);
  const domain = word('TLS_DOMAIN') ?? PYTHON_DOMAIN;
  return {
    program: 'mtprotoproxy',
    edits: [
      { key: 'listen.port', value: Number(port) },
      ...(modes.includes('ee') ? [{ key: 'cover.domain', value: domain }] : []),
    ],
    secrets: users.map(([, name, key = '']) => ({ name, key: parseSecret(key).key })),
    modes,
    notes: word('AD_TAG') === undefined ? [] : [AD_TAG_NOTE],
  };
}

/** Earlier versions have two words in place of the table. */
function isOff(source: string, name: string): boolean {
  const only = (word: string): boolean => new RegExp(`^${word}\\s*=\\s*True\\s*$`, 'm').test(source);
  return (name !== 'tls' && only('TLS_ONLY')) || (name === 'classic' && only('SECURE_ONLY'));
}
