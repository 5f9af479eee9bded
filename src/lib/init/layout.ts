import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Paths, systemPaths } from '../system/paths.ts';

/** Every place that an installation writes to. */
export interface Layout {
  /** Root of the file system; `/` but for tests. */
  root: string;
  /** For the whole machine, with a user and a unit; else for the one who runs it. */
  system: boolean;
  paths: Paths;
  /** Directory of the control socket. */
  runtime: string;
  unit: string;
  logrotate: string;
  journal: string;
  /** Held while something is installed or removed; where nobody else can put something in its place. */
  lock: string;
  result: string;
  /** The name of the system user. */
  account: string;
}

const ACCOUNT = 'mtp';

/** Whether logrotate is here to look after our log. */
export function rotatesLogs({ system, logrotate }: Layout): boolean {
  return system && existsSync(path.dirname(logrotate));
}

export function systemLayout(root: string): Layout {
  return layout(root, true, systemPaths(root), path.join(root, 'run/mtp-init.lock'));
}

export function userLayout(paths: Paths): Layout {
  return layout('/', false, paths, `${paths.state}.lock`);
}

function layout(root: string, system: boolean, paths: Paths, lock: string): Layout {
  return {
    root,
    system,
    paths,
    lock,
    runtime: path.dirname(paths.socket),
    unit: path.join(root, 'etc/systemd/system/mtp.service'),
    logrotate: path.join(root, 'etc/logrotate.d/mtp'),
    journal: path.join(paths.state, 'init-journal.json'),
    result: path.join(paths.state, 'init-result.json'),
    account: ACCOUNT,
  };
}
