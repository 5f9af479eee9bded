import type { Exec, Ran } from '../../system/exec.ts';
import { lastWords } from '../../system/exec.ts';
import { MtpError } from '../../errors.ts';
import { ipFamily } from '../../protocol/ip-address.ts';
import type { Drops, Guard } from '../guard.ts';
import { linesOfFile, linesOfListing, type NftListing } from './read.ts';
import { renderNft } from './render.ts';

const TABLE = ['inet', 'mtp'] as const;
const CLEAR = 'table inet mtp\ndelete table inet mtp\n';

/** Our own table of nftables. */
export function nftGuard(exec: Exec): Guard {
  const list = async (...options: string[]): Promise<Ran | undefined> => {
    const ran = await exec('nft', [...options, 'list', 'table', ...TABLE]);
    if (ran.status === 0) return ran;
    if (/No such file or directory/.test(ran.stderr)) return undefined;
    throw new MtpError('NFT_FAILED', `nft cannot list the table inet mtp: ${lastWords(ran)}`);
  };
  const listing = async (): Promise<NftListing | undefined> => {
    const ran = await list('-j', '-t');
    return ran === undefined ? undefined : (JSON.parse(ran.stdout) as NftListing);
  };
  const read = async (): Promise<string[]> => {
    const found = await listing();
    return found === undefined ? [] : linesOfListing(found);
  };
  return {
    kind: 'nftables',
    name: 'nftables',
    read,
    wanted: async (intent) => linesOfFile(await renderNft(intent)),
    put: async (intent) => {
      const text = await renderNft(intent);
      const stale = staleObjects(await read(), linesOfFile(text));
      const commands = stale.map((object) => `delete ${object}`);
      return { files: { 'after.nft': insertAfterFlush(text, commands) }, lines: ['nft -f after.nft'] };
    },
    boot: async (intent) => ({ files: { 'rules.nft': await renderNft(intent) }, lines: ['nft -f rules.nft'] }),
    restore: async () => {
      const before = (await list())?.stdout ?? '';
      return { files: { 'before.nft': `${CLEAR}${before}\n` }, lines: ['nft -f before.nft'] };
    },
    clear: { files: { 'clear.nft': CLEAR }, lines: ['nft -f clear.nft'] },
    drops: async () => dropsIn(await listing()),
    trust: (address) => {
      const set = `inet mtp operator${ipFamily(address)} { ${address} }`;
      // Adding an element that is there leaves its time as it was on some kernels.
      return [`printf '%s\\n' 'add element ${set}' 'delete element ${set}' 'add element ${set}' | nft -f -`];
    },
  };
}

/**
 * Objects in the kernel, as `set inet mtp NAME`, that a load cannot change in place: those that are defined otherwise or
 * are no longer wanted, and sets whose elements carry the limit of a rule that is no longer the same.
 */
function staleObjects(now: string[], wanted: string[]): string[] {
  const rulesOf = (lines: string[], set: string): string =>
    lines.filter((line) => line.startsWith('  ') && line.includes(`@${set} {`)).join('\n');
  return now.flatMap((line) => {
    const [, kind = '', name = ''] = /^(set|counter|chain) (\w+)/.exec(line) ?? [];
    if (kind === '') return [];
    const isSame = wanted.includes(line) && (kind !== 'set' || rulesOf(now, name) === rulesOf(wanted, name));
    return isSame ? [] : [`${kind} ${TABLE.join(' ')} ${name}`];
  });
}

function insertAfterFlush(text: string, commands: string[]): string {
  return text.replace(/^flush table inet mtp$/m, (flush) => [flush, ...commands].join('\n'));
}

function dropsIn(listing: NftListing | undefined): Drops {
  const count = (name: string): number | null => {
    const found = listing?.nftables.find(({ counter }) => counter?.name === name)?.counter;
    return found === undefined ? null : Number(found.packets);
  };
  return { banned: count('banned'), crowded: count('crowded'), hasty: count('hasty'), closed: count('closed') };
}
