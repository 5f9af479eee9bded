import { EXIT, MtpError } from '../errors.ts';

/** Labels from words such as `host=a`; a word without a name or a name twice is an error. */
export function readLabels(words: readonly string[]): Record<string, string> {
  const pairs = words.map((word): [string, string] => {
    const [, name, value] = /^([\w.-]{1,64})=([^]*)$/.exec(word) ?? [];
    if (name !== undefined && value !== undefined) return [name, value];
    throw new MtpError('LABEL_INVALID', `${JSON.stringify(word.slice(0, 80))} is no label`, {
      exit: EXIT.usage,
      hint: 'Write NAME=VALUE, such as host=proxy.example.com.',
    });
  });
  const labels = Object.fromEntries(pairs);
  if (Object.keys(labels).length === pairs.length) return labels;
  throw new MtpError('LABEL_TWICE', 'a label is given twice', { exit: EXIT.usage });
}
