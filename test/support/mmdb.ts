import { addressWords, parsePrefix } from '../../src/lib/access/prefix.ts';

/**
 * A file in the MaxMind DB format (maxmind.github.io/MaxMind-DB) with a tree of IPv6 and records of 24 bits, in the words of
 * GeoLite2-Country. The networks of 2002::/16 are those of IPv4 once more, as in real files.
 */
export function countryDatabase(networks: Record<string, string>): Buffer {
  const root: Node = [null, null];
  const codes = [...new Set(Object.values(networks))];
  for (const [network, code] of Object.entries(networks)) insert(root, network, codes.indexOf(code));
  const v4 = walkTo(root, '0'.repeat(96));
  if (v4 !== null) graft(root, '0010000000000010', v4);
  const nodes = [...new Set(collect(root))];
  const data = codes.map((code) => map({ country: map({ iso_code: text(code) }) }));
  const offsets = data.map((_, at) => Buffer.concat(data.slice(0, at)).length);
  const record = (child: Child): Buffer => {
    const value =
      child === null
        ? nodes.length
        : typeof child === 'number'
          ? nodes.length + 16 + (offsets[child] as number)
          : nodes.indexOf(child);
    return number(value, 3);
  };
  const tree = nodes.map(([left, right]) => Buffer.concat([record(left), record(right)]));
  const metadata = map({
    binary_format_major_version: uint(5, 2, 2),
    binary_format_minor_version: uint(5, 2, 0),
    build_epoch: Buffer.concat([Buffer.from([0x08, 2]), number(1_800_000_000, 8)]),
    database_type: text('Test-Country'),
    description: map({ en: text('for tests') }),
    ip_version: uint(5, 2, 6),
    languages: Buffer.concat([Buffer.from([0x01, 4]), text('en')]),
    node_count: uint(6, 4, nodes.length),
    record_size: uint(5, 2, 24),
  });
  const marker = Buffer.concat([Buffer.from([0xab, 0xcd, 0xef]), Buffer.from('MaxMind.com')]);
  return Buffer.concat([...tree, Buffer.alloc(16), ...data, marker, metadata]);
}

type Child = Node | number | null;
type Node = [Child, Child];

function insert(root: Node, network: string, leaf: number): void {
  const prefix = parsePrefix(network);
  if (prefix === null) throw new Error(network);
  const ahead = prefix.family === 4 ? '0'.repeat(96) : '';
  const all = ahead + prefix.words.map((word) => word.toString(2).padStart(32, '0')).join('');
  graft(root, all.slice(0, ahead.length + prefix.bits), leaf);
}

function graft(root: Node, bits: string, child: Child): void {
  let node = root;
  for (const bit of bits.slice(0, -1)) {
    const below = node[Number(bit) as 0 | 1];
    // What is inserted into a leaf has it around itself.
    const next: Node = typeof below === 'object' && below !== null ? below : [below, below];
    node[Number(bit) as 0 | 1] = next;
    node = next;
  }
  node[Number(bits.at(-1)) as 0 | 1] = child;
}

function walkTo(root: Node, bits: string): Node | null {
  let node: Child = root;
  for (const bit of bits) {
    if (node === null || typeof node === 'number') return null;
    node = node[Number(bit) as 0 | 1];
  }
  return typeof node === 'object' ? node : null;
}

function collect(node: Node): Node[] {
  return [node, ...node.flatMap((child) => (typeof child === 'object' && child !== null ? collect(child) : []))];
}

function number(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, Math.max(0, bytes - 6), Math.min(6, bytes));
  return buffer;
}

function uint(type: number, bytes: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([(type << 5) | bytes]), number(value, bytes)]);
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([(2 << 5) | value.length]), Buffer.from(value)]);
}

function map(entries: Record<string, Buffer>): Buffer {
  const pairs = Object.entries(entries).flatMap(([key, value]) => [text(key), value]);
  return Buffer.concat([Buffer.from([(7 << 5) | Object.keys(entries).length]), ...pairs]);
}

/** The words of an address that is one. */
export function wordsOf(address: string): number[] {
  const words = addressWords(address);
  if (words === null) throw new Error(address);
  return words;
}
