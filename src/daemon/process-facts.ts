import { readFile } from 'node:fs/promises';
import { findUserName } from '../lib/system/accounts.ts';

export interface ProcessFacts {
  uid: number;
  user: string;
  /** Effective capabilities as the hexadecimal mask of proc(5). */
  capEff: string;
  noNewPrivs: boolean;
}

/** With which rights a process runs, as the kernel says; null where there is no such process. */
export async function readProcess(pid: number, proc = '/proc'): Promise<ProcessFacts | null> {
  const status = await readFile(`${proc}/${pid}/status`, 'utf8').catch(() => '');
  const [, effective] = /^Uid:\s+\d+\s+(\d+)/m.exec(status) ?? [];
  if (effective === undefined) return null;
  const uid = Number(effective);
  return {
    uid,
    user: (await findUserName(uid)) ?? String(uid),
    capEff: /^CapEff:\s+([0-9a-f]+)/m.exec(status)?.[1] ?? '',
    noNewPrivs: /^NoNewPrivs:\s+1/m.test(status),
  };
}
