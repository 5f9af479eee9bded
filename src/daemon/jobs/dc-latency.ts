import type { DcStatus } from '../../lib/control/schema.ts';
import { type DcVerdict, probeDc, type ProbeEdges } from '../../lib/probe/dc.ts';
import { inOrder } from '../engine/dc-order.ts';
import type { EngineSettings } from '../supervisor/engine.ts';

type Telegram = EngineSettings['telegram'];
/** Test DCs serve no people; their reachability says nothing. */
const FIRST_TEST_DC = 10_000;

/** Ask all production DCs at once. A DC counts as reachable when any address that the engine would use answers. */
export async function probeDcs(telegram: Telegram, edges: ProbeEdges): Promise<DcStatus[]> {
  const numbers = Object.keys(telegram.dcs)
    .map(Number)
    .filter((dc) => dc < FIRST_TEST_DC);
  return Promise.all(numbers.map(async (dc) => probeOne(dc, telegram, edges)));
}

async function probeOne(dc: number, telegram: Telegram, edges: ProbeEdges): Promise<DcStatus> {
  const addresses = inOrder(telegram.dcs[dc] ?? [], telegram.prefer);
  const verdicts = await Promise.all(addresses.map(async (address) => probeDc(address, dc, edges)));
  const fallback: DcVerdict = { ok: false, reason: 'it has no address of the wanted family' };
  const verdict = verdicts.find(({ ok }) => ok) ?? verdicts[0] ?? fallback;
  return verdict.ok
    ? { dc, ok: true, ms: Math.round(verdict.ms), reason: null }
    : { dc, ok: false, ms: null, reason: verdict.reason };
}
