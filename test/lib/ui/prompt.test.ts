import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { toMtpError } from '../../../src/lib/cli/failure.ts';
import { EXIT } from '../../../src/lib/errors.ts';
import { confirm, confirmWithin, type Terminal } from '../../../src/lib/ui/prompt.ts';

function terminal(isTTY: boolean): Terminal & { input: PassThrough } {
  const stream = (): unknown => Object.assign(new PassThrough(), { isTTY });
  return { input: stream(), output: stream() } as Terminal & { input: PassThrough };
}

test('without a terminal the question is a usage error that names the flag', async () => {
  await expect(confirm('Remove bob?', '--yes', terminal(false))).rejects.toMatchObject({
    exit: EXIT.usage,
    hint: expect.stringContaining('--yes') as string,
  });
});

test.each([
  ['y\r', true],
  ['n\r', false],
  ['\r', false],
])('%j answers %s', async (typed, answer) => {
  const both = terminal(true);
  const asked = confirm('Remove bob?', '--yes', both);
  setTimeout(() => both.input.write(typed), 200);
  expect(await asked).toBe(answer);
});

test('Ctrl-C ends with status 130', async () => {
  const both = terminal(true);
  const asked = confirm('Remove bob?', '--yes', both);
  setTimeout(() => both.input.write('\u0003'), 200);
  const error = await asked.then(() => expect.fail('answered'), toMtpError);
  expect(error.exit).toBe(EXIT.interrupted);
});

test('a question with a time is answered in it, or not at all', async () => {
  const both = terminal(true);
  const asked = confirmWithin('Still there?', 20_000, both);
  setTimeout(() => both.input.write('y\r'), 200);
  expect(await asked).toBe(true);
  expect(await confirmWithin('Still there?', 200, terminal(true))).toBeUndefined();
});
