import { formatRate, type Rate, secondsFor } from '../config/rate.ts';
import type { Settings } from '../config/schema.ts';
import { EXIT, MtpError } from '../errors.ts';
import { type Networks, tidyNetworks } from './network.ts';

/** What the firewall is to do, whatever it is made with. */
export interface Intent {
  /** Ports of the proxy, in order: open to all, with limits for each source. */
  proxyPorts: number[];
  /** Ports that only this machine and `allow` may reach. */
  adminPorts: number[];
  /** Sources without limits. */
  allow: Networks;
  /** Connections at once from one source (an IPv4 address or an IPv6 /64); null for no limit. */
  perSource: number | null;
  /** New connections from one source; null for no limit. */
  rate: (Rate & { burst: number }) | null;
}

/** The intent of a configuration. Ports of SSH are never part of it: naming one is an error. */
export function intentOf(
  { listen, firewall }: Pick<Settings, 'listen' | 'firewall'>,
  sshPorts: readonly number[],
): Intent {
  const { allow, per_source: perSource, rate, burst, admin_ports: adminPorts } = firewall;
  for (const port of sshPorts) {
    if (adminPorts.includes(port)) throw wouldTouchSsh(port, 'firewall.admin_ports');
    if (listen.port === port) throw wouldTouchSsh(port, 'listen.port');
  }
  if (adminPorts.includes(listen.port)) {
    throw new MtpError(
      'FIREWALL_PORT_TWICE',
      `port ${listen.port} is the proxy's and cannot be in firewall.admin_ports`,
      {
        exit: EXIT.precondition,
        hint: 'Take it out of firewall.admin_ports.',
      },
    );
  }
  return {
    proxyPorts: [listen.port],
    adminPorts: adminPorts.toSorted((a, b) => a - b),
    allow: tidyNetworks(allow),
    perSource,
    rate: rate === null ? null : { ...rate, burst },
  };
}

function wouldTouchSsh(port: number, setting: string): MtpError {
  return new MtpError(
    'FIREWALL_SSH',
    `port ${port} is that of SSH; with it in ${setting} you could lock yourself out`,
    {
      exit: EXIT.precondition,
      hint: `Choose another port for ${setting}.`,
    },
  );
}

/** How long a source is remembered after its last new connection, in seconds: until its burst is whole again. */
export function rateMemory(rate: Rate & { burst: number }): number {
  return Math.max(1, secondsFor(rate.burst, rate));
}

/** The intent in words, a line each. */
export function intentLines({ proxyPorts, adminPorts, allow, perSource, rate }: Intent): string[] {
  const sources = [...allow.v4, ...allow.v6];
  return [
    `port ${proxyPorts.join(', ')} for all; from one source (IPv4 address, IPv6 /64) at most`,
    `  ${perSource === null ? 'any number of' : perSource} connections at once`,
    `  ${rate === null ? 'any number of new connections' : `${formatRate(rate)} new connections, ${rate.burst} in one go`}`,
    ...(adminPorts.length === 0 ? [] : [`port ${adminPorts.join(', ')} for this machine and the allowed sources only`]),
    ...(sources.length === 0 ? [] : [`no limits for ${sources.join(', ')}`]),
  ];
}
