import { EXIT, MtpError } from '../errors.ts';
import { findSetting, type Setting, valueFromText } from './settings.ts';
import { parseSocks5 } from './address.ts';
import { formatProblem, unknownKey } from './sources.ts';

/** The setting that an operator named, or an error that says which was meant. */
export function requireSetting(key: string): Setting {
  const setting = findSetting(key);
  if (setting !== undefined) return setting;
  throw new MtpError('CONFIG_KEY', formatProblem({ where: key, ...unknownKey(key) }), {
    exit: EXIT.usage,
    hint: 'See all settings with: mtp config list',
  });
}

/** The value in an argument; one with a password is refused there, because every process of the machine sees arguments. */
export function valueFromArgument(setting: Setting, text: string): unknown {
  if (setting.sensitive === true && parseSocks5(text)?.password !== undefined) {
    throw new MtpError('CONFIG_SECRET_ARGUMENT', `${setting.key}: a password does not belong on the command line`, {
      exit: EXIT.usage,
      hint: `Put the value into a file and run: mtp config set ${setting.key} - < FILE`,
    });
  }
  return valueFromText(setting, text);
}
