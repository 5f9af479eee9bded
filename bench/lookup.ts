import { addressWords, cut, formatPrefix, type Prefix } from '../src/lib/access/prefix.ts';
import { parseNetworkList } from '../src/lib/access/network-list.ts';
import { lookUp, packRanges, type RangeTable } from '../src/lib/access/range-table.ts';

/**
 * `node bench/lookup.ts [RANGES]`: what looking up an address among networks costs, of each family by itself; one line a figure.
 * Half of the addresses that are looked up lie in a network. Figures are medians of rounds, of the time that the process was
 * given a processor: what else the machine does is not in them.
 */

const ROUNDS = 5;
const LOOKUPS = 100_000;

const count = Number(process.argv[2] ?? 50_000);

const word = (): number => Math.floor(Math.random() * 2 ** 32);
/** In the part of the space that is given out. */
const address = (family: 4 | 6): number[] =>
  family === 4 ? [word()] : [0x20000000 + (word() >>> 3), word(), word(), word()];

/** Networks none of which lies in another one, so that each is a range. */
function networks(family: 4 | 6): Prefix[] {
  const found = new Map<string, Prefix>();
  while (found.size < count) {
    const prefix = cut(address(family), family === 4 ? 24 : 48);
    found.set(prefix.words.join(), prefix);
  }
  return [...found.values()];
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

function timed<Result>(action: () => Result): { ms: number; result: Result } {
  const from = process.cpuUsage();
  const result = action();
  const { user, system } = process.cpuUsage(from);
  return { ms: (user + system) / 1000, result };
}

let sink = 0;
function lookUpAll(table: RangeTable, addresses: number[][]): void {
  for (const words of addresses) sink ^= lookUp(table, words);
}

function measure(family: 4 | 6): void {
  const prefixes = networks(family);
  const rules = prefixes.map((prefix, at) => ({ prefix, value: 1 + (at % 3) }));
  const packing = Array.from({ length: ROUNDS }, () => timed(() => packRanges(rules)));
  const table = (packing[0] as (typeof packing)[0]).result;
  const { starts, values } = family === 4 ? table.v4 : table.v6;
  const addresses = Array.from({ length: LOOKUPS }, (_, at) => {
    if (at % 2 === 0) return address(family);
    const { words } = prefixes[Math.floor(Math.random() * count)] as Prefix;
    return [...words.slice(0, -1), ((words.at(-1) as number) | (word() & 0xff)) >>> 0];
  });
  const texts = addresses.map((words) => formatPrefix(cut(words, 32 * words.length)));
  lookUpAll(table, addresses);
  const times = Array.from({ length: ROUNDS }, () => timed(() => lookUpAll(table, addresses)).ms);
  const reading = Array.from(
    { length: ROUNDS },
    () => timed(() => texts.forEach((text) => (sink ^= addressWords(text)?.length ?? 0))).ms,
  );
  const each = (ms: number): string => `${((ms * 1e6) / LOOKUPS).toFixed(0)} ns`;
  const list = prefixes.map(formatPrefix).join('\n');
  const loading = Array.from({ length: 3 }, () => timed(() => parseNetworkList(list)).ms);
  const lines = {
    'networks, ranges': `${count.toLocaleString('en')}, ${values.length.toLocaleString('en')}`,
    'a look-up': each(median(times)),
    'reading the address before it': each(median(reading)),
    'reading the list': `${median(loading).toFixed(0)} ms`,
    'packing the table': `${median(packing.map(({ ms }) => ms)).toFixed(0)} ms`,
    'memory of the table': `${((starts.byteLength + values.byteLength) / 2 ** 20).toFixed(2)} MB`,
  };
  for (const [name, figure] of Object.entries(lines)) console.log(`IPv${family}  ${name.padEnd(30)} ${figure}`);
}

measure(4);
measure(6);
// What was looked up has to come to something, or it would not be done at all.
if (sink === -1) console.log(sink);
