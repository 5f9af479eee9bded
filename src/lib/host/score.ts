import type { DomainFacts } from './domain.ts';

export interface DomainScore {
  /** 100 is a domain of one's own with a perfect site. */
  points: number;
  /** What costs points, with how many. */
  reasons: string[];
}

const FAR_MS = 100;

/** How well a website hides a proxy on this machine. The weights are judgement, not measurement. */
export function scoreDomain({ a, aaaa, isOurs, cover, certificateFault }: DomainFacts): DomainScore {
  const losses: [boolean, number, string][] = [
    [
      !isOurs,
      45,
      `it resolves elsewhere (${[...(a ?? []), ...(aaaa ?? [])][0] ?? 'nowhere'}), as every observer can check`,
    ],
    [!cover.ok && cover.kind === 'unreachable', 45, 'it does not answer from here'],
    [!cover.ok && cover.kind === 'not-tls13', 40, 'it does not speak TLS 1.3, which fake-TLS imitates'],
    [cover.ok && !cover.shape.postQuantum, 10, 'it has no X25519MLKEM768, which browsers offer'],
    [
      cover.ok && cover.ms > FAR_MS,
      10,
      `it is ${cover.ok ? Math.round(cover.ms) : 0} ms away, so strangers wait longer than at the real site`,
    ],
    [certificateFault !== undefined, 10, `its certificate is not valid for the name (${certificateFault ?? ''})`],
  ];
  const counted = losses.filter(([applies]) => applies);
  return {
    points: Math.max(
      0,
      counted.reduce((points, [, loss]) => points - loss, 100),
    ),
    reasons: counted.map(([, loss, reason]) => `-${loss} ${reason}`),
  };
}
