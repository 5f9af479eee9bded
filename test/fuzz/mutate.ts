import type { Random } from './random.ts';

/** Changes to bytes that know nothing of what they mean. Every function gives back a new buffer. */

export type Mutate = (input: Buffer, random: Random, pool: readonly Buffer[]) => Buffer;

/** Lengths at which parsers turn: ends of fields, records and buffers. */
const EDGES = [
  0, 1, 2, 3, 4, 5, 16, 32, 33, 107, 108, 255, 256, 512, 2048, 2049, 16_384, 16_385, 16_640, 16_641, 65_535,
];
/** No target is meant for more. */
const LONGEST = 20_000;

const flipBits: Mutate = (input, random) => {
  const out = Buffer.from(input);
  for (let left = 1 + random.below(4); left > 0; left--) {
    const at = random.below(out.length);
    out[at] = (out[at] ?? 0) ^ (1 << random.below(8));
  }
  return out;
};

const setByte: Mutate = (input, random) => {
  const out = Buffer.from(input);
  if (out.length > 0) out[random.below(out.length)] = random.oneIn(2) ? random.next() : random.pick(EDGES);
  return out;
};

const truncate: Mutate = (input, random) => Buffer.from(input.subarray(0, random.below(input.length + 1)));

const remove: Mutate = (input, random) => {
  const from = random.below(input.length);
  return Buffer.concat([input.subarray(0, from), input.subarray(from + 1 + random.below(16))]);
};

const insert: Mutate = (input, random) => {
  const at = random.below(input.length + 1);
  return Buffer.concat([input.subarray(0, at), random.bytes(1 + random.below(16)), input.subarray(at)]);
};

const repeat: Mutate = (input, random) => {
  const from = random.below(input.length);
  const to = from + 1 + random.below(64);
  return Buffer.concat([input.subarray(0, to), input.subarray(from)]);
};

const splice: Mutate = (input, random, pool) => {
  const other = random.pick(pool);
  return Buffer.concat([
    input.subarray(0, random.below(input.length + 1)),
    other.subarray(random.below(other.length + 1)),
  ]);
};

/** Something that may be a length of one, two or three bytes gets another value. */
const editLength: Mutate = (input, random) => {
  const width = 1 + random.below(3);
  const out = Buffer.from(input);
  if (out.length < width) return out;
  const at = random.below(out.length - width + 1);
  const now = out.readUIntBE(at, width);
  const value = random.oneIn(2) ? random.pick(EDGES) : now + random.below(9) - 4;
  out.writeUIntBE(Math.max(0, value) % 2 ** (8 * width), at, width);
  return out;
};

const append: Mutate = (input, random) => Buffer.concat([input, random.bytes(1 + random.below(40))]);

const BASIC: readonly Mutate[] = [flipBits, setByte, truncate, remove, insert, repeat, splice, editLength, append];

/** A mutation out of several: between none and four in a row. One in sixteen inputs is left as it is. */
export function mutator(...special: readonly Mutate[]): Mutate {
  const all = [...BASIC, ...special];
  return (input, random, pool) => {
    let out = input;
    if (random.oneIn(16)) return Buffer.from(input);
    for (let left = 1 + random.below(4); left > 0; left--) out = random.pick(all)(out, random, pool);
    return out.length > LONGEST ? out.subarray(0, LONGEST) : out;
  };
}

/** Put one of some words where a parser of text will meet it. */
export function inserting(words: readonly string[]): Mutate {
  const tokens = words.map((word) => Buffer.from(word));
  return (input, random) => {
    const at = random.below(input.length + 1);
    return Buffer.concat([input.subarray(0, at), random.pick(tokens), input.subarray(at + random.below(4))]);
  };
}
