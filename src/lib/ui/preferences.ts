import type Conf from 'conf';

/** What one person likes; nothing that changes what the proxy does belongs here. */
export interface Preferences {
  /** Whether links come with a QR code: on a terminal, always or never. */
  qr: 'auto' | 'always' | 'never';
}

export const PREFERENCES: Record<keyof Preferences, { values: readonly string[]; summary: string }> = {
  qr: { values: ['auto', 'always', 'never'], summary: 'QR code below a link: on a terminal, always or never' },
};

/**
 * The preferences file of the user who runs the command, in their configuration directory and readable by them alone. `conf`
 * is loaded only here, because it brings signal handlers along that a daemon must not have.
 */
export async function openPreferences(): Promise<Conf<Preferences>> {
  const { default: Preference } = await import('conf');
  return new Preference<Preferences>({
    projectName: 'mtp',
    projectSuffix: '',
    configName: 'preferences',
    configFileMode: 0o600,
    // A file that was damaged costs its owner a preference, not the command.
    clearInvalidConfig: true,
    schema: { qr: { type: 'string', enum: ['auto', 'always', 'never'] } },
  });
}

const DEFAULTS: Preferences = { qr: 'auto' };

/** The preference in force. Looking one up writes nothing, so that it works for users without a home. */
export async function readPreference<Name extends keyof Preferences>(name: Name): Promise<Preferences[Name]> {
  return (await openPreferences()).get(name, DEFAULTS[name]);
}

/** Whether to draw a QR code: the flag decides, then the preference, then whether a person is looking. */
export async function wantsQr(flag: boolean | undefined, isTerminal: boolean): Promise<boolean> {
  if (flag !== undefined) return flag;
  const qr = await readPreference('qr');
  return qr === 'auto' ? isTerminal : qr === 'always';
}
