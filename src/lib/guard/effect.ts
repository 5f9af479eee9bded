import { loadAccess } from '../access/load.ts';
import { type PackedRulings, packRulings, rulingAt } from '../access/packed-rulings.ts';
import { formatPrefix, type Prefix } from '../access/prefix.ts';
import { rulingsAt } from '../access/rulings.ts';
import type { Verdict } from '../access/ruling.ts';
import { getOutlooks, reloadGuard } from '../control/client.ts';
import type { Outlook } from '../control/schema.ts';
import { MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';
import type { UserFiles } from '../users/files.ts';
import { listAllowed, listBans } from './operate.ts';

type EngineVerdict = Outlook['verdict'];

/** What became of a change of bans in the running proxy. */
export interface GuardEffect {
  running: boolean;
  /** What the engine itself does with the first address of each network; null where it treats it like any other. */
  seen: { network: string; verdict: EngineVerdict }[];
  sentence: string;
}

/** So many networks are looked at in the engine; the ledger has them all. */
const LOOKED_AT = 1000;

/** Have the running proxy go by the ledger, and see in its engine that it does. */
export async function takeGuardEffect(
  files: Paths & UserFiles,
  prefixes: readonly Prefix[],
  now: number,
): Promise<GuardEffect> {
  const reply = await reloadGuard(files);
  if (reply === undefined) {
    return { running: false, seen: [], sentence: 'No proxy is running here; it holds once one is started.' };
  }
  const looked = prefixes.slice(0, LOOKED_AT);
  const expected = await expectations(files, looked, now);
  const outlooks = looked.length === 0 ? [] : ((await getOutlooks(files, looked.map(firstAddress))) ?? []);
  const seen = looked.map((prefix, at) => ({ network: formatPrefix(prefix), verdict: outlooks[at]?.verdict ?? null }));
  const wrong = seen.find(({ verdict }, at) => verdict !== expected[at]);
  if (wrong !== undefined) {
    throw new MtpError(
      'NOT_PROVED',
      `the change is kept, but the running engine does not show it: ${wrong.network} ${inWords(wrong.verdict)}`,
      { hint: 'See what the proxy reports with: mtp status' },
    );
  }
  return { running: true, seen, sentence: `The running engine shows it: ${describe(seen)}.` };
}

/** What the operator's rules about networks, feeds and countries come to. */
async function accessRulings(files: Paths & UserFiles, now: number): Promise<PackedRulings> {
  return packRulings(rulingsAt(await loadAccess(files), now).rulings);
}

/** What they say of an address, as `addressWords` returns it; null for nothing. */
export async function accessVerdict(
  files: Paths & UserFiles,
  words: readonly number[],
  now: number,
): Promise<Verdict | null> {
  return rulingAt(await accessRulings(files, now), words, now / 1000)?.verdict ?? null;
}

/** What the engine has to do by what the ledger says. */
async function expectations(
  files: Paths & UserFiles,
  prefixes: readonly Prefix[],
  now: number,
): Promise<EngineVerdict[]> {
  const seconds = (ms: number | null): number | null => (ms === null ? null : Math.ceil(ms / 1000));
  const allowed = packRulings(
    (await listAllowed(files, now)).map(({ prefix, until }) => ({ prefix, verdict: null, until: seconds(until) })),
  );
  const bans = packRulings(
    (await listBans(files, now)).map(({ prefix, verdict, until }) => ({ prefix, verdict, until: seconds(until) })),
  );
  const access = await accessRulings(files, now);
  return prefixes.map(({ words }) => {
    const at = now / 1000;
    if (rulingAt(allowed, words, at) !== null) return 'allowed';
    return (rulingAt(bans, words, at) ?? rulingAt(access, words, at))?.verdict ?? null;
  });
}

function firstAddress({ family, words }: Prefix): string {
  return formatPrefix({ family, words, bits: family === 4 ? 32 : 128 });
}

export function inWords(verdict: EngineVerdict): string {
  return VERDICT_WORDS[verdict ?? 'none'];
}

const VERDICT_WORDS = {
  allowed: 'is let in whatever it does',
  mask: 'is shown the web site',
  limit: 'is shown the web site, a few connections at a time',
  drop: 'is cut off',
  none: 'is treated like any other',
};

function describe(seen: GuardEffect['seen']): string {
  if (seen.length === 0) return 'nothing is banned';
  const [first] = seen as [GuardEffect['seen'][number]];
  const same = seen.every(({ verdict }) => verdict === first.verdict);
  if (seen.length === 1) return `${first.network} ${inWords(first.verdict)}`;
  return same
    ? `each of ${seen.length} networks ${inWords(first.verdict)}`
    : `${seen.length} networks, each as it should be`;
}
