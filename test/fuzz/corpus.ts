import { readdirSync, readFileSync } from 'node:fs';

/** Inputs that real programs made: the files of `corpus/` (record.ts), and the vectors that all tests share. */

const DIRECTORY = new URL('corpus/', import.meta.url);

function load(file: string): Buffer {
  return Buffer.from(readFileSync(new URL(file, DIRECTORY), 'utf8').replace(/^#.*$/gm, '').replace(/\s/g, ''), 'hex');
}

interface Vectors {
  secret: string;
  obf2: { wire64: string }[];
  faketls: { client_hello: string; server_hello_record: string; ts: number }[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../fixtures/vectors.json', import.meta.url), 'utf8'),
) as unknown as Vectors;
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** The secret of everything here that is signed. */
export const SECRET = hex(vectors.secret);
export const BARE = [...vectors.obf2.map(({ wire64 }) => hex(wire64)), load('mtcute-bare.hex')];
/** Hellos of clients that know the secret. */
export const SIGNED = [
  ...vectors.faketls.map(({ client_hello: hello }) => hex(hello)),
  load('tdlib.hex'),
  load('mtcute.hex'),
];
const OTHERS = readdirSync(DIRECTORY)
  .filter((file) => file.endsWith('.hex') && !/^(tdlib|mtcute)/.test(file))
  .map(load);
export const HELLOS = [...SIGNED, ...OTHERS];
/** ServerHello messages, without a record header. */
export const SERVER_HELLOS = vectors.faketls.map(({ server_hello_record: record }) => hex(record).subarray(5));
