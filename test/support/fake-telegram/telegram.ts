import { type DcManner, type FakeDc, makeKeyring, startFakeDc } from '../fake-dc.ts';

/** Telegram as a proxy sees it: several data centres with one key. */

export interface FakeTelegram {
  endpoints: Record<number, { host: string; port: number }>;
  /** Key that clients must know, in PEM. */
  publicKey: string;
  /** What each data centre has seen. */
  stats: () => Record<number, Pick<FakeDc, 'open' | 'strangers' | 'openings'>>;
  close: () => Promise<void>;
}

export interface FakeTelegramOptions {
  dcs?: number[];
  /** By DC number; the others speak MTProto. */
  manners?: Record<number, DcManner>;
  host?: string;
  /** The first DC's port, the others follow; 0 takes any free ones. */
  portBase?: number;
}

export async function startFakeTelegram({
  dcs = [1, 2, 3, 4, 5, 203],
  manners = {},
  host = '127.0.0.1',
  portBase = 0,
}: FakeTelegramOptions = {}): Promise<FakeTelegram> {
  const keyring = makeKeyring();
  const started = await Promise.all(
    dcs.map(async (number, index) => {
      const port = portBase === 0 ? 0 : portBase + index;
      return [number, await startFakeDc(manners[number] ?? 'mtproto', host, { number, port, keyring })] as const;
    }),
  );
  return {
    endpoints: Object.fromEntries(started.map(([number, { endpoint }]) => [number, endpoint])),
    publicKey: keyring.key.publicPem,
    stats: () =>
      Object.fromEntries(
        started.map(([number, { open, strangers, openings }]) => [number, { open, strangers, openings: [...openings] }]),
      ),
    close: async () => {
      await Promise.all(started.map(async ([, dc]) => dc.close()));
    },
  };
}
