import { BlockList, isIPv6 } from 'node:net';
import type { Settings } from '../lib/config/schema.ts';
import { weakness } from '../lib/secret/weak.ts';
import { plural } from '../lib/ui/format.ts';
import type { User } from '../lib/users/user.ts';

const HERE = new BlockList();
HERE.addSubnet('127.0.0.0', 8, 'ipv4');
HERE.addAddress('::1', 'ipv6');

const NAMED_AT_MOST = 3;

/** Keys of 10,000 users take a while to look at, and hardly ever change. */
const names = new WeakMap<User[], string[]>();

/** What would be fit for tests only and is in force all the same, a sentence each; nothing in development. */
export function unfitFor({ deployment, telegram, log }: Settings, users: User[]): string[] {
  if (deployment.env === 'development') return [];
  const here = Object.entries(telegram.dc).filter(([, places]) => places.some(({ host }) => isHere(host)));
  const weak = weakOnes(users);
  return [
    ...(log.level === 'debug' ? ['log.level is debug: the log grows fast, and names more than it has to'] : []),
    ...(here.length === 0
      ? []
      : [
          `telegram.dc.${here.map(([dc]) => dc).join(', ')} leads to this machine: users reach Telegram only if something here passes it on`,
        ]),
    ...(weak.length === 0
      ? []
      : [`${plural(weak.length, 'user')} with a secret that is easy to guess (${some(weak)}): mtp secret rotate NAME`]),
  ];
}

function weakOnes(users: User[]): string[] {
  const known = names.get(users);
  if (known !== undefined) return known;
  const weak = users.filter(({ secrets }) =>
    secrets.some(({ key, state }) => state === 'active' && weakness(Buffer.from(key, 'hex')) !== undefined),
  );
  const found = weak.map(({ name }) => name);
  names.set(users, found);
  return found;
}

function some(all: string[]): string {
  return all.length > NAMED_AT_MOST ? `${all.slice(0, NAMED_AT_MOST).join(', ')}, …` : all.join(', ');
}

function isHere(host: string): boolean {
  return HERE.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}
