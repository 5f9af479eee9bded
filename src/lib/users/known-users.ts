import { type RawBuilder, sql } from 'kysely';
import { keyringMissing, keyringWrong, readKeyring } from '../keyring/keyring.ts';
import { covers } from '../keyring/sealing.ts';
import { type Ledger, readLedger } from '../ledger/open.ts';
import type { SecretRow } from '../ledger/schema.ts';
import type { UserFiles } from './files.ts';
import { openFound } from './open-users.ts';
import { selectWithin } from './select.ts';
import type { User } from './user.ts';
import { readUsers } from './with-users.ts';

interface Known {
  user: User;
  /** What the ledger says of the user: their row, their tags and their secrets. */
  text: string;
  /** The beginnings of their sealed secrets, which name the key. */
  secrets: Pick<SecretRow, 'sealed'>[];
}

/** Rows at a time. What is made in passing for ten thousand users at once would stay in memory. */
const TEXTS = 500;
const USERS = 100;
/** Bytes up to the end of the id of the key (seal.ts). */
const NAMED_BY = 10;

/**
 * Users as they were read last. Those of whom the ledger says the same, but for when they were seen, stay the same objects; only
 * the others are made again and their secrets opened, so that a reload for one of ten thousand is short.
 */
export class KnownUsers {
  #known = new Map<string, Known>();

  /** As `loadUsers`, but with `lastSeenAt` as it was when the user was read. */
  async read(files: UserFiles): Promise<User[]> {
    this.#known = await readUsers(files, new Map<string, Known>(), async (ledger) => this.#read(ledger, files));
    return [...this.#known.values()].map(({ user }) => user);
  }

  /** A rotation of the keyring changes the ledger, then the keyring; who reads the older of the two meanwhile reads again. */
  async #read(ledger: Ledger, files: UserFiles): Promise<Map<string, Known>> {
    for (let left = 3; ; left--) {
      const known = await readLedger(ledger, async (reading) => this.#compare(reading, files));
      if (typeof known !== 'string') return known;
      if (left === 0) throw known === 'missing' ? keyringMissing(files.keyringFile) : keyringWrong(files.keyringFile);
    }
  }

  /** Users as one state of the ledger has them, or what is wrong with the keyring. */
  async #compare(reading: Ledger, files: UserFiles): Promise<Map<string, Known> | 'missing' | 'wrong'> {
    const known = new Map<string, Known | null>();
    const changed = new Map<string, string>();
    for await (const { id, text } of texts(reading)) {
      const before = this.#known.get(id);
      const same = before?.text === text;
      known.set(id, same ? before : null);
      if (!same) changed.set(id, text);
    }
    const keyring = await readKeyring(files.keyringFile);
    const opens = (secrets: Pick<SecretRow, 'sealed'>[]): boolean =>
      secrets.length === 0 || (keyring !== undefined && covers(keyring, secrets));
    const fault = keyring === undefined ? 'missing' : 'wrong';
    if (!opens([...known.values()].flatMap((one) => one?.secrets ?? []))) return fault;
    const ids = [...changed.keys()];
    for (let at = 0; at < ids.length; at += USERS) {
      const found = await selectWithin(reading, { ids: ids.slice(at, at + USERS) });
      if (!opens(found.flatMap(({ secrets }) => secrets))) return fault;
      for (const one of found) {
        const text = changed.get(one.row.id) ?? '';
        const secrets = one.secrets.map(({ sealed }) => ({ sealed: sealed.slice(0, NAMED_BY) }));
        known.set(one.row.id, { user: await openFound(one, keyring, files), text, secrets });
      }
    }
    return new Map([...known].flatMap(([id, one]) => (one === null ? [] : [[id, one]])));
  }
}

interface Text {
  seq: number;
  id: string;
  text: string;
}

/** Everybody, in the order in which they were added. */
async function* texts(reading: Ledger): AsyncGenerator<Text> {
  const [user, secret] = [await quoted(reading, 'users'), await quoted(reading, 'secrets')];
  const tags = sql`select group_concat(tag, ' ' order by tag) from user_tags where user_id = users.id`;
  const secrets = sql`select group_concat(${secret}, ';' order by seq) from secrets where user_id = users.id`;
  for (let last = 0; ;) {
    const { rows } = await sql<Text>`
      select seq, id, concat_ws('|', ${user}, coalesce((${tags}), ''), (${secrets})) as text
      from users where seq > ${last} order by seq limit ${TEXTS}
    `.execute(reading);
    yield* rows;
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end.seq;
  }
}

/** All columns of a table as one text, but for that which only tells when somebody was here. */
async function quoted(reading: Ledger, table: 'users' | 'secrets'): Promise<RawBuilder<string>> {
  const { rows } = await sql<{ name: string }>`select name from pragma_table_info(${table})`.execute(reading);
  const columns = rows.filter(({ name }) => name !== 'last_seen_at');
  const texts = columns.map(({ name }) => sql<string>`quote(${sql.ref(name)})`);
  return sql.join<string>(texts, sql` || ',' || `);
}
