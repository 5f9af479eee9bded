/** What the wanted values depend on. */
export interface TuneFacts {
  memoryMb: number;
  /** Client connections that the proxy takes at once. */
  connections: number;
  /** Port that it listens on. */
  port: number;
  /** The kernel has BBR, or a module for it. */
  bbr: boolean;
}

/** A key of the kernel: what it should be, given what it is, and why. */
export interface TuneKey {
  key: string;
  reason: string;
  /** The value to set; the current one where that is as good or better. Values have single spaces. */
  want: (current: string) => string;
}

const LOWEST_LOCAL_PORT = 16_384;

/** The keys for a proxy, from the ones that matter most. What is deliberately not set stands in docs/tune.md. */
export function tuneKeys({ memoryMb, connections, port, bbr }: TuneFacts): TuneKey[] {
  const gigabytes = Math.max(1, Math.round(memoryMb / 1024));
  const backlog = Math.min(65_535, 8192 * gigabytes);
  const bufferMax = Math.min(16, 4 * gigabytes) * 2 ** 20;
  return [
    ...(bbr
      ? [
          key('net.core.default_qdisc', 'BBR sends at an even pace with it', () => 'fq'),
          key('net.ipv4.tcp_congestion_control', 'BBR keeps speed on lossy mobile networks', () => 'bbr'),
        ]
      : []),
    key('net.core.somaxconn', 'connections that wait to be accepted', atLeast(backlog)),
    key('net.ipv4.tcp_max_syn_backlog', 'handshakes that are under way', atLeast(backlog)),
    key('net.ipv4.tcp_syncookies', 'a flood of SYNs keeps nobody out', atLeast(1)),
    key('net.ipv4.ip_local_port_range', 'each data centre is one address: ports limit the clients', portRange),
    ...(port >= LOWEST_LOCAL_PORT
      ? [key('net.ipv4.ip_local_reserved_ports', 'no outgoing connection takes our port', reserve(port))]
      : []),
    key('net.ipv4.tcp_tw_reuse', 'ports of closed connections to Telegram come back', () => '1'),
    key('net.ipv4.tcp_fin_timeout', 'half-closed connections go sooner', atMost(20)),
    key('net.ipv4.tcp_keepalive_time', 'mobile clients vanish without a word', atMost(60)),
    key('net.ipv4.tcp_keepalive_intvl', 'those that vanished are found soon', atMost(15)),
    key('net.ipv4.tcp_keepalive_probes', 'and given up', atMost(4)),
    key('net.ipv4.tcp_notsent_lowat', 'less memory a connection, shorter queues', atMost(131_072)),
    key('net.ipv4.tcp_rmem', 'room for fast clients far away', thirdAtLeast(bufferMax)),
    key('net.ipv4.tcp_wmem', 'room for fast clients far away', thirdAtLeast(bufferMax)),
    key('net.ipv4.tcp_slow_start_after_idle', 'a chat that paused is quick again', () => '0'),
    key('net.ipv4.tcp_mtu_probing', 'networks that swallow ICMP', atLeast(1)),
    key('net.netfilter.nf_conntrack_max', 'two entries a client, with room', atLeast(4 * connections)),
    key('fs.file-max', 'two open files a client, with room', atLeast(4 * connections + 65_536)),
    key('vm.swappiness', 'memory of connections stays in memory', atMost(10)),
  ];
}

function key(name: string, reason: string, want: TuneKey['want']): TuneKey {
  return { key: name, reason, want };
}

function atLeast(value: number): TuneKey['want'] {
  return (current) => (Number(current) >= value ? current : String(value));
}

function atMost(value: number): TuneKey['want'] {
  return (current) => (Number(current) <= value ? current : String(value));
}

/** Raises the largest of the three sizes of a buffer and keeps the others. */
function thirdAtLeast(value: number): TuneKey['want'] {
  return (current) => {
    const [least = '4096', usual = '131072', most = '0'] = current.split(' ');
    return Number(most) >= value ? current : `${least} ${usual} ${value}`;
  };
}

function portRange(current: string): string {
  const [low = 0, high = 0] = current.split(' ').map(Number);
  return high - low >= 65_535 - LOWEST_LOCAL_PORT ? current : `${LOWEST_LOCAL_PORT} 65535`;
}

function reserve(port: number): TuneKey['want'] {
  return (current) => {
    const ranges = current.split(',').filter((part) => part !== '');
    const covered = ranges.some((range) => {
      const [from = 0, to = from] = range.split('-').map(Number);
      return from <= port && port <= to;
    });
    return covered ? current : [...ranges, port].join(',');
  };
}
