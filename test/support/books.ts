import type { EngineStats } from '../../src/daemon/supervisor/engine.ts';

const sum = (counts: Record<string, number>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

/** What does not add up in the figures of an engine that nobody is connected to. */
export function imbalances({ connections, handshakes, closes, workerFailures }: EngineStats): string[] {
  const { current, relayed, cover, total } = connections;
  const faults: string[] = [];
  if (current !== 0 || relayed !== 0 || cover !== 0) faults.push(`somebody is left: ${JSON.stringify(connections)}`);
  if (sum(handshakes) !== total) faults.push(`${total} accepted, but ${JSON.stringify(handshakes)}`);
  if (sum(closes) !== total) faults.push(`${total} accepted, but ${JSON.stringify(closes)}`);
  if (closes.fault + closes.worker + workerFailures !== 0) faults.push(`errors of ours: ${JSON.stringify(closes)}`);
  return faults;
}
