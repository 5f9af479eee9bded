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
  /** Directory of the log of a daemon without systemd. */
  logs: string;
  /** What root runs about the firewall: never inside a directory that the user of the service may change. */
  firewall: string;
}

export interface PathFacts {
  /** Value of `--home` or `MTP_HOME`; keeps everything in one directory. */
  home?: string | undefined;
  env: NodeJS.ProcessEnv;
  isRoot: boolean;
  userHome: string;
}

/**
 * Directories by precedence: an explicit home, those that systemd gives a service, the system directories for root, the XDG
 * base directories for anyone else (XDG Base Directory Specification 0.8).
 */
export function resolvePaths({ home, env, isRoot, userHome }: PathFacts): Paths {
  const explicit = home ?? (env.MTP_HOME || undefined);
  if (explicit !== undefined) {
    const dir = path.resolve(explicit);
    return lay(dir, dir, dir, dir);
  }
  const given = serviceDirectories(env);
  if (given !== undefined) return lay(...given);
  if (isRoot) return systemPaths('/');
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
    state,
  );
}

/** Where a system-wide installation keeps its things, below a root directory. */
export function systemPaths(root: string): Paths {
  const [config, state, runtime, logs] = ['etc/mtp', 'var/lib/mtp', 'run/mtp', 'var/log/mtp'].map((dir) =>
    path.join(root, dir),
  ) as [string, string, string, string];
  return lay(config, state, runtime, logs);
}

/** What a daemon that is to use these paths needs in its environment; for the system's, as systemd.exec(5) sets it. */
export function serviceEnvironment({ config, state, socket, logs }: Paths): Record<string, string> {
  if (config === state) return { MTP_HOME: state };
  return {
    CONFIGURATION_DIRECTORY: config,
    STATE_DIRECTORY: state,
    RUNTIME_DIRECTORY: path.dirname(socket),
    LOGS_DIRECTORY: logs,
  };
}

/** As systemd sets them for our unit; other services have directories of other names. */
function serviceDirectories(env: NodeJS.ProcessEnv): [string, string, string, string] | undefined {
  const { CONFIGURATION_DIRECTORY: config, STATE_DIRECTORY: state, RUNTIME_DIRECTORY: runtime } = env;
  if (config === undefined || state === undefined || runtime === undefined) return undefined;
  const logs = env.LOGS_DIRECTORY ?? state;
  const isOurs = [config, state, runtime, logs].every((dir) => path.isAbsolute(dir) && path.basename(dir) === 'mtp');
  return isOurs ? [config, state, runtime, logs] : undefined;
}

function lay(config: string, state: string, runtime: string, logs: string): Paths {
  return {
    config,
    configFile: path.join(config, 'config.toml'),
    state,
    ledgerFile: path.join(state, 'ledger.db'),
    hooks: path.join(config, 'hooks.d'),
    keyringFile: path.join(config, 'keyring.json'),
    usersFile: path.join(state, 'users.json'),
    socket: path.join(runtime, 'control.sock'),
    logs,
    firewall: config === state ? path.join(state, 'firewall') : `${state}-firewall`,
  };
}
