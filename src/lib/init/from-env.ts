import type { ConfigEdit } from '../config/change.ts';
import { type ImportNote, planImport } from '../config/import.ts';
import { readText } from '../config/read-text.ts';
import { parseEnv } from '../env-file/parse.ts';
import { acceptModes } from '../secret/accept.ts';
import { SECRET_KEYS } from '../secret/env-key.ts';
import { parseSecret } from '../secret/secret.ts';
import { weakness } from '../secret/weak.ts';
import type { Wishes } from './answers.ts';

/** What a `.env` file answers in place of a person. */
export interface EnvAnswers {
  wishes: Pick<Wishes, 'domain' | 'port' | 'server' | 'coverTarget'>;
  /** All other settings of the file. */
  edits: ConfigEdit[];
  /** 16 bytes: the secret that links hold already. */
  key: Buffer | undefined;
  /** What is left out, and what to know, a sentence each. */
  notes: string[];
}

const ASKED = ['listen.port', 'cover.domain', 'cover.target', 'link.server'];

/** The answers in a `.env` file, as `config import` understands it, and its secret. */
export async function readEnvAnswers(file: string): Promise<EnvAnswers> {
  const { edits, dropped, warnings } = await planImport(file);
  const entries = parseEnv((await readText(file)) ?? '').entries;
  const written = SECRET_KEYS.map((name) => entries.findLast(({ key, value }) => key === name && value !== '')?.value);
  const found = written.find((value) => value !== undefined);
  const secret = found === undefined ? undefined : parseSecret(found);
  const why = secret === undefined ? undefined : weakness(secret.key);
  const others = edits.filter(({ key }) => !ASKED.includes(key));
  const answer = (key: string): unknown => edits.find((edit) => edit.key === key)?.value;
  const text = (key: string): string | undefined => answer(key) as string | undefined;
  return {
    wishes: {
      domain: text('cover.domain'),
      port: answer('listen.port') as number | undefined,
      server: text('link.server'),
      coverTarget: text('cover.target'),
    },
    edits: secret === undefined ? others : acceptModes(others, [secret.mode]),
    key: secret?.key,
    notes: [
      ...[...dropped, ...warnings].map((note) => sentence(file, note)),
      ...(why === undefined ? [] : [`The secret is easy to guess (${why}); replace it with: mtp secret rotate`]),
    ],
  };
}

function sentence(file: string, { line, key, message }: ImportNote): string {
  return [`${file}:${line}`, key, message].filter((part) => part !== '').join(': ');
}
