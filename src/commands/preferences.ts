import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { EXIT, MtpError } from '../lib/errors.ts';
import { openPreferences, PREFERENCES, type Preferences, readPreference } from '../lib/ui/preferences.ts';
import { formatTable } from '../lib/ui/table.ts';

export default class PreferencesCommand extends BaseCommand {
  static override summary = 'Show or change how mtp looks for you alone.';

  static override description =
    'Preferences belong to the user who types the command. The proxy is set up with "mtp config".';

  static override args = {
    name: Args.string({ description: 'Preference to show or change' }),
    value: Args.string({ description: 'Its new value' }),
  };

  static override flags = {
    reset: Flags.boolean({ summary: 'Go back to the default of the named preference, or of all.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> qr never',
    '<%= config.bin %> <%= command.id %> --reset',
  ];

  async run(): Promise<Preferences> {
    const { args, flags } = await this.parse(PreferencesCommand);
    const preferences = await openPreferences();
    const name = args.name === undefined ? undefined : knownName(args.name);
    const shown = name === undefined ? names() : [name];
    if (flags.reset) for (const key of shown) preferences.delete(key);
    else if (name !== undefined && args.value !== undefined) preferences.set(name, knownValue(name, args.value));
    const rows = await Promise.all(
      shown.map(async (key) => [key, await readPreference(key), PREFERENCES[key].summary]),
    );
    for (const line of formatTable(['PREFERENCE', 'VALUE', 'MEANING'], rows)) this.log(line);
    return { qr: await readPreference('qr') };
  }
}

function names(): (keyof Preferences)[] {
  return Object.keys(PREFERENCES) as (keyof Preferences)[];
}

function knownName(name: string): keyof Preferences {
  const found = names().find((known) => known === name);
  if (found === undefined) throw usage(`there is no preference "${name}"`, `Preferences are: ${names().join(', ')}`);
  return found;
}

function knownValue(name: keyof Preferences, value: string): Preferences[typeof name] {
  const { values } = PREFERENCES[name];
  if (!values.includes(value)) throw usage(`${name} cannot be "${value}"`, `Allowed: ${values.join(', ')}`);
  return value as Preferences[typeof name];
}

function usage(message: string, hint: string): MtpError {
  return new MtpError('USAGE', message, { exit: EXIT.usage, hint });
}
