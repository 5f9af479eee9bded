import type { Settings } from '../config/schema.ts';
import { DEFAULT_DCS } from '../protocol/dc.ts';
import { ipFamily } from '../protocol/ip-address.ts';
import { probeDc, type ProbeEdges } from '../probe/dc.ts';

export interface DcFacts {
  dc: number;
  ms: number | null;
  reason: string | null;
}

/** The data centres that people's accounts live in. */
const DCS = [1, 2, 3, 4, 5];

/** Ask each data centre a question that only Telegram answers. One address that answers is enough. */
export async function askTelegram(
  { telegram, upstream }: Pick<Settings, 'telegram' | 'upstream'>,
  edges: ProbeEdges,
): Promise<DcFacts[]> {
  const addresses: Record<string, { host: string; port: number }[]> = { ...DEFAULT_DCS, ...telegram.dc };
  const only = { ipv4: 0, ipv6: 0, 'ipv4-only': 4, 'ipv6-only': 6 }[telegram.prefer];
  const via = upstream.socks5 === undefined ? edges : { ...edges, via: upstream.socks5 };
  return Promise.all(
    DCS.map(async (dc) => {
      const usable = (addresses[String(dc)] ?? []).filter(({ host }) => only === 0 || ipFamily(host) === only);
      const verdicts = await Promise.all(usable.map(async (address) => probeDc(address, dc, via)));
      const good = verdicts.find((verdict) => verdict.ok);
      if (good !== undefined) return { dc, ms: Math.round(good.ms), reason: null };
      const [bad] = verdicts;
      return { dc, ms: null, reason: bad?.ok === false ? bad.reason : 'it has no address of the wanted family' };
    }),
  );
}
