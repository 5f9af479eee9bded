import path from 'node:path';

/** Where one installation keeps its things. All absolute. */
export interface Paths {
  /** Directory of the configuration file. */
  config: string;
  configFile: string;
  /** Directory of users, caches and the daemon's own state. */
  state: string;
  /** The system of record: users and their secrets. */
  ledgerFile: string;
  /** Programs of the operator's that are told of what happens. */
  hooks: string;
  /** The keys that secrets are sealed under; apart from the ledger. */
  keyringFile: string;
  /** Where earlier versions kept users; taken over into the ledger at first use. */
  usersFile: string;
  /** Control socket of the running daemon. */
  socket: string;
}

export interface PathFacts {
  /** Value of `--home` or `MTP_HOME`; keeps everything in one directory. */
  home?: string | undefined;
  env: NodeJS.ProcessEnv;
  isRoot: boolean;
  userHome: string;
}

/**
 * Directories by precedence: an explicit home, the system directories for root, the XDG base directories for anyone else
 * (XDG Base Directory Specification 0.8).
 */
export function resolvePaths({ home, env, isRoot, userHome }: PathFacts): Paths {
  const explicit = home ?? (env.MTP_HOME || undefined);
  if (explicit !== undefined) {
    const dir = path.resolve(explicit);
    return lay(dir, dir, dir);
  }
  if (isRoot) return lay('/etc/mtp', '/var/lib/mtp', '/run/mtp');
  const xdg = (name: string, fallback: string): string => {
    const value = env[name];
    return value !== undefined && path.isAbsolute(value) ? value : path.join(userHome, fallback);
  };
  const state = path.join(xdg('XDG_STATE_HOME', '.local/state'), 'mtp');
  const runtime = env.XDG_RUNTIME_DIR;
  return lay(
    path.join(xdg('XDG_CONFIG_HOME', '.config'), 'mtp'),
    state,
    runtime !== undefined && path.isAbsolute(runtime) ? path.join(runtime, 'mtp') : state,
  );
}

function lay(config: string, state: string, runtime: string): Paths {
  return {
    config,
    configFile: path.join(config, 'config.toml'),
    state,
    ledgerFile: path.join(state, 'ledger.db'),
    hooks: path.join(config, 'hooks.d'),
    keyringFile: path.join(config, 'keyring.json'),
    usersFile: path.join(state, 'users.json'),
    socket: path.join(runtime, 'control.sock'),
  };
}
