import { readFile } from 'node:fs/promises';
import { formatRate } from '../../config/rate.ts';
import { packageUrl } from '../../system/module-url.ts';
import { renderTemplate } from '../../template/render.ts';
import { type Intent, rateMemory } from '../intent.ts';

/** The file of our table, as nft loads it. */
export async function renderNft({ proxyPorts, adminPorts, allow, perSource, rate }: Intent): Promise<string> {
  return renderTemplate(await readFile(packageUrl('templates/firewall.nft'), 'utf8'), {
    proxyPorts: alternatives(proxyPorts),
    adminPorts: alternatives(adminPorts),
    allow4: alternatives(allow.v4),
    allow6: alternatives(allow.v6),
    perSource,
    rate: rate === null ? null : formatRate(rate),
    burst: rate?.burst ?? null,
    // The sets are there without a limit, too: an element stays what it was.
    rateMemory: rate === null ? 1 : rateMemory(rate),
  });
}

/** One value as it is, several in braces, none as null: the form in which nft lists them. */
function alternatives(values: readonly (string | number)[]): string | null {
  const [first] = values;
  if (first === undefined) return null;
  return values.length === 1 ? String(first) : `{ ${values.join(', ')} }`;
}
