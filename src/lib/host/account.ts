import { readFile } from 'node:fs/promises';
import path from 'node:path';

export interface Account {
  uid: number;
  gid: number;
  shell: string;
}

/** A user of the system by name, from its passwd(5); undefined where there is none. */
export async function findAccount(name: string, root = '/'): Promise<Account | undefined> {
  const text = await readFile(path.join(root, 'etc/passwd'), 'utf8').catch(() => '');
  const fields = text
    .split('\n')
    .map((line) => line.split(':'))
    .find(([first]) => first === name);
  const [, , uid, gid, , , shell = ''] = fields ?? [];
  return fields === undefined ? undefined : { uid: Number(uid), gid: Number(gid), shell };
}

/** The number of a group by name, from group(5). */
export async function findGroup(name: string, root = '/'): Promise<number | undefined> {
  const text = await readFile(path.join(root, 'etc/group'), 'utf8').catch(() => '');
  const line = text.split('\n').find((entry) => entry.startsWith(`${name}:`));
  return line === undefined ? undefined : Number(line.split(':')[2]);
}

/** Whether nobody can log in with that shell. */
export function isNoLogin({ shell }: Account): boolean {
  return /\/(nologin|false)$/.test(shell);
}
