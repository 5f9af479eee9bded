import { describe, expect, it } from 'vitest';
import { formatPrefix, parsePrefix, type Prefix } from '../../../src/lib/access/prefix.ts';
import type { Ban, Suspicion } from '../../../src/lib/guard/ban.ts';
import { type BanPolicy, decideBan, isCovered, promote } from '../../../src/lib/guard/decide.ts';

const MINUTE = 60_000;
const NOW = 1_800_000_000_000;
const policy: BanPolicy = { ceiling: 'drop', threshold: 20, baseMs: 10 * MINUTE, mostMs: 7 * 1440 * MINUTE };
const none = { replay: 0, mac: 0, garbage: 0, silent: 0, timeout: 0, flood: 0 };
const net = (text: string): Prefix => parsePrefix(text) as Prefix;

function suspicion(over: Partial<Suspicion> = {}): Suspicion {
  return { prefix: net('198.51.100.1'), at: NOW, score: 21, counts: { ...none, mac: 7 }, good: false, ...over };
}

function ban(network: string, over: Partial<Ban> = {}): Ban {
  const [from, until] = [NOW - 60 * MINUTE, NOW - 50 * MINUTE];
  return {
    prefix: net(network),
    verdict: 'mask',
    reason: '',
    rule: 'probe',
    evidence: { at: NOW, score: 20, threshold: 20, counts: none, good: false, earlier: 0 },
    actor: 'mtp',
    from,
    until,
    ended: null,
    ...over,
  };
}

describe('a ban', () => {
  it('comes at the threshold and not before, and says what was seen', () => {
    expect(decideBan(suspicion({ score: 19.9 }), [], policy, 0)).toBeNull();
    expect(decideBan(suspicion({ score: 20 }), [], policy, 0.9)).toMatchObject({
      verdict: 'mask',
      rule: 'enumeration',
      reason: 'enumeration: 7 with a wrong key',
      actor: 'mtp',
      from: NOW,
      until: NOW + 10 * MINUTE,
      evidence: { score: 20, threshold: 20, earlier: 0, good: false },
    });
  });

  it('is never made where the operator only wants to observe', () => {
    expect(decideBan(suspicion({ score: 500 }), [], { ...policy, ceiling: 'observe' }, 0)).toBeNull();
  });

  it('climbs the ladder with every ban that still counts, up to the ceiling', () => {
    const replays = suspicion({ counts: { ...none, replay: 3 } });
    const made = (count: number, ceiling: BanPolicy['ceiling']): Ban | null =>
      decideBan(replays, Array<Ban>(count).fill(ban('198.51.100.1')), { ...policy, ceiling }, 0);
    expect([0, 1, 2, 3].map((count) => made(count, 'drop')?.verdict)).toEqual(['mask', 'limit', 'drop', 'drop']);
    expect([0, 1, 2].map((count) => made(count, 'mask')?.verdict)).toEqual(['mask', 'mask', 'mask']);
    expect([0, 1, 2].map((count) => ((made(count, 'mask')?.until ?? 0) - NOW) / MINUTE)).toEqual([10, 20, 40]);
  });

  it('for what visitors of the site do, too, is never more than a mask', () => {
    const earlier = Array<Ban>(5).fill(ban('198.51.100.1'));
    for (const counts of [{ mac: 9 }, { garbage: 30 }, { silent: 200 }]) {
      expect(decideBan(suspicion({ counts: { ...none, ...counts } }), earlier, policy, 0)?.verdict).toBe('mask');
    }
  });

  it('by hand, or one that was lifted, does not make the next one longer', () => {
    const history = [ban('198.51.100.1', { evidence: null }), ban('198.51.100.1', { ended: NOW - 55 * MINUTE })];
    expect(decideBan(suspicion(), history, policy, 0)?.until).toBe(NOW + 10 * MINUTE);
  });
});

describe('neighbours in IPv6', () => {
  const recent = (networks: string[]): Ban[] => networks.map((network) => ban(network, { until: NOW + MINUTE }));

  it('are banned together when three /64 of a /56 are', () => {
    const newest = ban('2001:db8:0:3::/64');
    const wide = (others: string[]): string[] =>
      promote(newest, [...recent(others), newest]).map(({ prefix }) => formatPrefix(prefix));
    expect(wide(['2001:db8:0:1::/64'])).toEqual([]);
    // The same twice is one.
    expect(wide(['2001:db8:0:1::/64', '2001:db8:0:1::/64'])).toEqual([]);
    expect(wide(['2001:db8:0:1::/64', '2001:db8:0:2::/64'])).toEqual(['2001:db8::/56']);
    expect(wide(['2001:db8:0:100::/64', '2001:db8:0:200::/64'])).toEqual([]);
  });

  it('make a /48 when four /56 are', () => {
    const newest = ban('2001:db8:0:3::/64');
    const others = [
      '2001:db8:0:1::/64',
      '2001:db8:0:2::/64',
      '2001:db8:0:100::/56',
      '2001:db8:0:200::/56',
      '2001:db8:0:300::/56',
    ];
    expect(promote(newest, [...recent(others), newest]).map(({ prefix }) => formatPrefix(prefix))).toEqual([
      '2001:db8::/56',
      '2001:db8::/48',
    ]);
  });

  it('are left alone in IPv4, where many share an address as it is', () => {
    const others = recent(['198.51.100.2', '198.51.100.3', '198.51.100.4']);
    expect(promote(ban('198.51.100.1'), others)).toEqual([]);
  });
});

it('what a wider ban covers is covered', () => {
  const bans = [ban('198.51.100.0/24')];
  expect(isCovered(net('198.51.100.7'), bans)).toBe(true);
  expect(isCovered(net('198.51.0.0/16'), bans)).toBe(false);
});
