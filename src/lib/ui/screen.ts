import type { ChalkInstance } from 'chalk';
import type { CapStatus, CoverStatus, DcAddress, DcStatus, StatusReply } from '../control/schema.ts';
import { formatBytes, formatSpan, plural } from './format.ts';
import { wrap } from './wrap.ts';

/** The lines of the screens of `mtp run` and `mtp status`. Everything in them was observed. */

const LABEL = 13;

function row(colours: ChalkInstance, label: string, text: string): string {
  return ` ${colours.dim(label.padEnd(LABEL))}${text}`;
}

/** Such lines where the terminal has so many columns: what goes on stands below what it belongs to. */
export function fit(lines: readonly string[], columns: number | undefined): string[] {
  return lines.map((line) => wrap(line, columns, ' '.repeat(1 + LABEL)));
}

const BOUNDS: Record<string, string> = {
  memory: 'what the memory carries',
  'open-files': 'what the limit of open files allows',
  floor: 'the least that is offered; memory is short',
  configured: 'limits.connections',
};

const ACCELERATORS = {
  native: 'native',
  none: 'none; ciphers go through node:crypto',
};

export function describeCap({ connections, bound }: CapStatus): string {
  return `${plural(connections, 'connection')} at most (${BOUNDS[bound] ?? bound})`;
}

function formatAddress({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export interface Serving {
  listening: { host: string; port: number };
  workers: number;
  cap: CapStatus;
  configFile: string;
}

export function servingLines({ listening, workers, cap, configFile }: Serving, colours: ChalkInstance): string[] {
  return [
    row(colours, 'Listening', `${formatAddress(listening)}, ${plural(workers, 'worker')}`),
    row(colours, 'Limit', describeCap(cap)),
    row(colours, 'Settings', configFile),
  ];
}

/** Which DCs answered a real question, and how fast. */
export function telegramLines(dcs: DcStatus[], colours: ChalkInstance): string[] {
  if (dcs.length === 0) return [row(colours, 'Telegram', 'not asked yet')];
  const cells = dcs.map(({ dc, ok, ms }) => (ok ? `DC${dc} ${ms} ms` : colours.red(`DC${dc} unreachable`)));
  const down = dcs.filter(({ ok }) => !ok);
  const reasons = [...new Set(down.map(({ reason }) => reason))].join('; ');
  const lines = [row(colours, 'Telegram', cells.join('  '))];
  if (down.length === dcs.length) {
    lines.push(
      row(
        colours,
        '',
        colours.yellow(`No data centre answers (${reasons}): clients cannot reach Telegram through this proxy now.`),
      ),
    );
  } else if (down.length > 0) {
    lines.push(row(colours, '', `${plural(down.length, 'data centre')} did not answer: ${reasons}`));
  }
  return lines;
}

/** The addresses that are not used at present, and what is held open ahead. */
export function dcAddressLines(addresses: DcAddress[], colours: ChalkInstance): string[] {
  const failing = addresses.filter(({ state }) => state !== 'closed');
  const lines = failing.map(({ dc, host, port, state, failures, lastError }) => {
    const where = `DC${dc} ${formatAddress({ host, port })}`;
    const why = `${plural(failures, 'failure')}, ${lastError ?? 'unknown'}`;
    return row(colours, '', colours.yellow(`${where} ${state === 'open' ? 'passed over' : 'being tried'} (${why})`));
  });
  const warm = new Map<number, number>();
  for (const address of addresses) warm.set(address.dc, (warm.get(address.dc) ?? 0) + address.warm);
  const held = [...warm].filter(([, count]) => count > 0).map(([dc, count]) => `DC${dc} ${count}`);
  return held.length === 0 ? lines : [...lines, row(colours, 'Held open', held.join('  '))];
}

export function coverLines(cover: CoverStatus, colours: ChalkInstance): string[] {
  const { domain, state, reason, flightBytes, postQuantum } = cover;
  if (state === 'unknown') return [row(colours, 'Cover', `${domain}, not probed yet`)];
  if (state === 'unreachable') {
    const why = `Strangers are reset instead of shown a website until it answers.`;
    return [row(colours, 'Cover', `${domain} ${colours.red(`unreachable: ${reason ?? ''}`)}`), row(colours, '', why)];
  }
  if (state === 'not-tls13') {
    const hint = 'Choose another with: mtp config set cover.domain NAME';
    return [
      row(colours, 'Cover', `${domain} ${colours.yellow(`is no TLS 1.3 site: ${reason ?? ''}`)}`),
      row(colours, '', hint),
    ];
  }
  const exchange = postQuantum === true ? 'X25519MLKEM768' : 'no post-quantum key exchange';
  return [row(colours, 'Cover', `${domain} answers with TLS 1.3, ${exchange}, ${flightBytes ?? 0} bytes`)];
}

/** The whole of `mtp status`. */
export function statusLines(status: StatusReply, now: number, colours: ChalkInstance): string[] {
  const { engine, traffic } = status;
  const state = engine.state === 'running' ? colours.green('running') : colours.yellow(engine.state);
  const failing = engine.loopingEnds !== null || engine.state === 'failing';
  const listening = engine.listening === null ? 'not listening' : `port ${engine.listening.port}`;
  const lines = [
    row(
      colours,
      'Proxy',
      `${state}, ${listening}, ${plural(engine.workers, 'worker')}, up ${formatSpan(now - status.startedAt)}`,
    ),
    ...(failing ? [row(colours, '', colours.red(describeLoop(engine, now)))] : []),
    row(colours, 'Revision', status.revision.slice(0, 12)),
    row(colours, 'Users', `${status.users.enabled} of ${status.users.total} enabled`),
    row(colours, 'Limit', describeCap(status.cap)),
  ];
  if (traffic !== null) {
    const { connections, bytes, handshakes, rssBytes, workerFailures, faults } = traffic;
    const results = Object.entries(handshakes).filter(([, count]) => count > 0);
    lines.push(
      row(
        colours,
        'Connections',
        `${connections.current} open (${connections.relayed} relayed, ${connections.cover} at the cover), ${connections.total} in all`,
      ),
      row(colours, 'Handshakes', results.map(([name, count]) => `${name} ${count}`).join('  ') || 'none yet'),
      row(colours, 'Traffic', `${formatBytes(bytes.up)} up, ${formatBytes(bytes.down)} down`),
      row(colours, 'Memory', formatBytes(rssBytes)),
    );
    const failed = [
      ...(workerFailures > 0 ? [plural(workerFailures, 'worker')] : []),
      ...(faults > 0 ? [plural(faults, 'connection')] : []),
    ];
    if (failed.length > 0) lines.push(row(colours, 'Failed', `${failed.join(', ')}, by errors of ours: see the log`));
  }
  lines.push(...announcementLines(status.announcements, now, colours));
  lines.push(
    ...telegramLines(status.dcs, colours),
    ...dcAddressLines(status.dcAddresses, colours),
    ...coverLines(status.cover, colours),
  );
  if (engine.accelerator !== null) lines.push(row(colours, 'Accelerator', ACCELERATORS[engine.accelerator]));
  if (engine.process !== null) lines.push(row(colours, 'Engine', describeProcess(engine)));
  for (const { pid, connections, until } of engine.draining) {
    const left = connections === null ? 'does not answer' : `${plural(connections, 'connection')} left`;
    lines.push(row(colours, 'Draining', `process ${pid}, ${left}, ends in ${formatSpan(until - now)} at most`));
  }
  for (const [at, warning] of status.warnings.entries()) {
    lines.push(row(colours, at === 0 ? 'Warning' : '', colours.yellow(warning)));
  }
  if (engine.restarts > 0) lines.push(row(colours, 'Restarts', String(engine.restarts)));
  if (engine.lastError !== null) {
    lines.push(
      row(colours, 'Last error', `${engine.lastError.message} (${formatSpan(now - engine.lastError.at)} ago)`),
    );
  }
  return lines;
}

/** Nothing where the hook was told of everything. */
function announcementLines(
  { due, givenUp, failure, nextAt }: StatusReply['announcements'],
  now: number,
  colours: ChalkInstance,
): string[] {
  // What was made this moment is told of by itself.
  if (failure === null) return [];
  const parts = [
    ...(due === 0 ? [] : [`${plural(due, 'new secret')} to tell of, next try in ${formatSpan((nextAt ?? now) - now)}`]),
    ...(givenUp === 0 ? [] : [`${plural(givenUp, 'new secret')} given up: tell of them with "mtp secret announce"`]),
  ];
  return [row(colours, 'Hook', colours.yellow(`on-rotate fails: ${failure}; ${parts.join('; ')}`))];
}

function describeLoop({ loopingEnds, nextTryAt }: StatusReply['engine'], now: number): string {
  const ends = `Failing: the engine ended ${loopingEnds ?? 'several'} times in ten minutes`;
  return nextTryAt === null ? ends : `${ends}; next try in ${formatSpan(nextTryAt - now)}`;
}

const NO_CAPABILITIES = /^0*$/;

function describeProcess({ pid, version, process }: StatusReply['engine']): string {
  const { user, capEff, noNewPrivs } = process ?? { user: 'unknown', capEff: '', noNewPrivs: false };
  const rights = NO_CAPABILITIES.test(capEff) ? 'no capabilities' : `capabilities ${capEff}`;
  const facts = [`process ${pid ?? 0}`, `user ${user}`, rights, ...(noNewPrivs ? ['no new privileges'] : [])];
  return [...(version === null ? [] : [`version ${version}`]), ...facts].join(', ');
}

/** What `mtp start` has brought about. */
export function startedLines(
  { already, status, log }: { already: boolean; status: StatusReply; log: string | null },
  colours: ChalkInstance,
): string[] {
  const { pid, engine, cap, revision, users } = status;
  const { listening, workers } = engine;
  return [
    already ? `The proxy runs already (process ${pid}).` : `The proxy runs (process ${pid}) and clients can connect.`,
    ...(listening === null
      ? []
      : [row(colours, 'Listening', `${formatAddress(listening)}, ${plural(workers, 'worker')}`)]),
    row(colours, 'Limit', describeCap(cap)),
    row(colours, 'Revision', revision.slice(0, 12)),
    row(colours, 'Users', `${users.enabled} of ${users.total} enabled; print a link with: mtp link NAME`),
    ...(log === null ? [] : [row(colours, 'Log', log)]),
  ];
}
