import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cpuShare, measureActive } from './active.ts';
import { startRelay } from './baseline.ts';
import { startEngine } from './engine.ts';
import type { Bench } from './figure.ts';
import { type Measurement, measure } from './generator.ts';
import { REST_SECONDS } from './memory.ts';
import { manyUsers } from './reload.ts';
import type { Running } from './site.ts';
import { type Chart, lineChart } from './svg.ts';

/** How the cost grows with the number of sessions and of secrets. */

const CONNECTIONS = [100, 1000, 5000, 9500];
const SECRETS = [1, 100, 1000, 10_000];
const HANDSHAKE_SECONDS = 3;
const KB_PER_MB = 1024;

interface AtConnections {
  proxy: string;
  connections: number;
  rss_mb: number;
  idle_cpu: number;
  active_cpu: number;
  p50_us: number;
  p99_us: number;
}

interface AtSecrets {
  secrets: number;
  setup_us: number;
  refused_us: number;
}

/** Measure all curves and write them into a directory: the numbers as JSON, the charts as SVG. */
export async function drawCurves(bench: Bench, directory: string, say: (line: string) => void): Promise<void> {
  const connections: AtConnections[] = [];
  for (const count of CONNECTIONS) {
    const relay = await startRelay(bench.programs.relay, bench.site, { fast: true });
    connections.push(await atConnections(bench, relay, count, 1));
    const engine = await startEngine(bench.entry, bench.site, { fast: true });
    connections.push(await atConnections(bench, engine, count, REST_SECONDS));
    say(`${count} connections`);
  }
  const secrets: AtSecrets[] = [];
  for (const count of SECRETS) {
    secrets.push(await atSecrets(bench, count));
    say(`${count} secrets`);
  }
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'curves.json'), `${JSON.stringify({ connections, secrets }, null, 2)}\n`);
  for (const [name, chart] of Object.entries(charts(connections, secrets))) {
    writeFileSync(path.join(directory, `${name}.svg`), lineChart(chart));
  }
}

/** `rest` is how long the sessions are idle before memory is read, s. The proxy is stopped. */
async function atConnections(bench: Bench, proxy: Running, connections: number, rest: number): Promise<AtConnections> {
  try {
    const active = await measureActive(bench, proxy, connections);
    const idle = await measure(bench.generator, 'idle', proxy.target, { connections, seconds: rest });
    return {
      proxy: proxy.name,
      connections,
      rss_mb: idle.rss_kb / KB_PER_MB,
      idle_cpu: 100 * cpuShare(idle),
      active_cpu: 100 * cpuShare(active),
      p50_us: active.p50_us,
      p99_us: active.p99_us,
    };
  } finally {
    await proxy.stop();
  }
}

async function atSecrets(bench: Bench, secrets: number): Promise<AtSecrets> {
  const engine = await startEngine(bench.entry, bench.site, { users: manyUsers(bench.site, secrets) });
  try {
    const options = { connections: 32, seconds: HANDSHAKE_SECONDS };
    const setup = await measure(bench.generator, 'setup', engine.target, options);
    const refused = await measure(bench.generator, 'refused', engine.target, options);
    return { secrets, setup_us: cpuEach(setup), refused_us: cpuEach(refused) };
  } finally {
    await engine.stop();
  }
}

/** CPU of one operation, us. */
const cpuEach = ({ proxy_cpu_seconds, ops }: Measurement): number => (1e6 * proxy_cpu_seconds) / ops;

function charts(connections: AtConnections[], secrets: AtSecrets[]): Record<string, Chart> {
  const x = 'connections';
  const by = (field: Exclude<keyof AtConnections, 'proxy'>): Chart['series'] =>
    ['C', 'mtp'].map((name) => ({
      name,
      points: connections.filter(({ proxy }) => proxy === name).map((row) => [row.connections, row[field]]),
    }));
  const bySecrets = (name: string, field: keyof AtSecrets): Chart['series'][number] => ({
    name,
    points: secrets.map((row) => [row.secrets, row[field]]),
  });
  return {
    memory: { title: 'Resident memory with idle sessions', x, y: 'MB', series: by('rss_mb') },
    'idle-cpu': { title: 'CPU with idle sessions', x, y: '% of a core', series: by('idle_cpu') },
    'active-cpu': {
      title: 'CPU with 10 % of the sessions at 10 messages/s',
      x,
      y: '% of a core',
      series: by('active_cpu'),
    },
    'active-p99': { title: 'p99 of those messages', x, y: 'us', series: by('p99_us') },
    handshakes: {
      title: 'CPU of an opening',
      x: 'secrets',
      y: 'us',
      series: [bySecrets('set up', 'setup_us'), bySecrets('refused', 'refused_us')],
    },
  };
}
