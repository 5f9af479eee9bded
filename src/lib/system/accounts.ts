import { readFile } from 'node:fs/promises';

/** Accounts of this machine by passwd(5); those of a directory service are not seen. */

export interface Account {
  name: string;
  uid: number;
  gid: number;
}

async function readAccounts(file: string): Promise<Account[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [name = '', , uid = '', gid = ''] = line.split(':');
    return name !== '' && /^\d+$/.test(uid) && /^\d+$/.test(gid) ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

export async function findAccount(name: string, file = '/etc/passwd'): Promise<Account | undefined> {
  return (await readAccounts(file)).find((account) => account.name === name);
}

export async function findUserName(uid: number, file = '/etc/passwd'): Promise<string | undefined> {
  return (await readAccounts(file)).find((account) => account.uid === uid)?.name;
}
