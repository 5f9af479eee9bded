import { existsSync } from 'node:fs';
import type { FlagValue } from '../lib/config/evaluate.ts';
import { loadConfig } from '../lib/config/load.ts';
import { readText } from '../lib/config/read-text.ts';
import type { Settings } from '../lib/config/schema.ts';
import { renderConfigTemplate } from '../lib/config/template.ts';
import { EXIT, MtpError } from '../lib/errors.ts';
import { checkLedger } from '../lib/ledger/check.ts';
import { sweepSecrets } from '../lib/rotation/sweep.ts';
import { ensureDirectory } from '../lib/system/files.ts';
import type { Paths } from '../lib/system/paths.ts';
import { exposures, generationOf } from '../lib/users/load.ts';
import { ensureFirstUser } from '../lib/users/store.ts';
import type { KnownUsers } from '../lib/users/known-users.ts';
import type { User } from '../lib/users/user.ts';
import { readUsers } from '../lib/users/with-users.ts';
import { choosePort } from './listen-port.ts';
import type { Log, Threshold } from './telemetry/log.ts';
import { LogLevel } from './telemetry/log-level.ts';

/** What an installation's files say. */
export interface Wanted {
  settings: Settings;
  users: User[];
  /** Of the ledger, when its users were read. */
  generation: string | null;
  /** The configuration file; undefined where there is none. */
  text: string | undefined;
}

/** Settings and users, made where there are none. The first configuration is written once its port is really served. */
export async function prepare(
  paths: Paths,
  overrides: FlagValue[],
  { output, known }: { output: { log: (threshold: Threshold) => Log }; known: KnownUsers },
): Promise<{
  wanted: Wanted;
  created: boolean;
  configText: ((port: number) => string) | undefined;
  log: Log;
  logLevel: LogLevel;
}> {
  const { settings, origins } = await loadConfig({ file: paths.configFile, env: process.env, flags: overrides });
  const logLevel = new LogLevel(settings.log.level);
  const log = output.log(logLevel);
  for (const dir of [paths.config, paths.state]) await ensureDirectory(dir);
  const { users, generation, created } = await prepareUsers(paths, settings, { log, known });
  if (existsSync(paths.configFile)) {
    const text = await readText(paths.configFile);
    return { wanted: { settings, users, generation, text }, created, configText: undefined, log, logLevel };
  }
  const origin = origins['listen.port']?.origin;
  if (origin === 'default') settings.listen.port = await choosePort(settings.listen.host);
  const kept = origin === 'env' ? undefined : settings.listen.port;
  const text = await renderConfigTemplate({ port: kept });
  return { wanted: { settings, users, generation, text }, created: true, configText: () => text, log, logLevel };
}

/** The users of a ledger that is whole, one at least. */
async function prepareUsers(
  paths: Paths,
  { rotation }: Settings,
  { log, known }: { log: Log; known: KnownUsers },
): Promise<{ users: User[]; generation: string | null; created: boolean }> {
  const files = { ...paths, notice: (sentence: string) => log('info', 'users_taken_over', {}, sentence) };
  await readUsers(files, undefined, async (ledger) => checkLedger(ledger, paths.ledgerFile));
  const { created } = await ensureFirstUser(files);
  await sweepSecrets(files, rotation.drain, Date.now());
  const generation = await generationOf(files);
  const users = await known.read(files);
  for (const warning of await exposures(files)) log('warn', 'exposed', {}, warning);
  return { users, generation, created };
}

/** The files as they are now. A configuration that is gone is no wish for the defaults. */
export async function readAgain(
  paths: Paths,
  overrides: FlagValue[],
  known: KnownUsers,
  before?: Wanted,
): Promise<Wanted> {
  if (!existsSync(paths.configFile)) {
    throw new MtpError('CONFIG_MISSING', `${paths.configFile} is gone; the running settings stay in force`, {
      exit: EXIT.precondition,
      hint: 'Put it back and reload, or restart to run on the defaults.',
    });
  }
  const { settings, text } = await loadConfig({ file: paths.configFile, env: process.env, flags: overrides });
  const generation = await generationOf(paths);
  const same = before !== undefined && generation !== null && generation === before.generation;
  return { settings, text, generation, users: same ? before.users : await known.read(paths) };
}
