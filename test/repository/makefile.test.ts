import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Installation, installation } from '../support/installation.ts';
import { runProgram } from '../support/run-program.ts';
import { read, ROOT } from './tree.ts';

const hasMake = spawnSync('make', ['--version']).status === 0;
if (!hasMake) console.warn('the Makefile is not tried: it needs make');

describe.skipIf(!hasMake)('targets of the Makefile run the real commands', { timeout: 120_000 }, () => {
  let at: Installation;
  beforeAll(async () => {
    at = await installation();
  });
  afterAll(async () => at.close());

  const make = async (...args: string[]) =>
    runProgram(['make', '-s', ...args], {
      cwd: ROOT,
      env: { ...at.env, MTP_HOME: at.home, MTP: `${process.execPath} bin/run.js` },
    });

  // In the order of a day: each finds what those before it left.
  const day: [string[], RegExp][] = [
    [['start'], /^The proxy runs \(process \d+\)/],
    [['status'], /^ Proxy +running, port \d+/],
    [['secret', 'NAME=bob'], /^Added bob\. The running proxy shows it: bob: the secret is accepted/],
    [['users'], /^bob +enabled/m],
    [['link', 'NAME=bob'], /^tg:\/\/proxy\?/],
    [['links', 'NAME=bob'], /^this host\n {2}tg:\/\/proxy\?/],
    [['rotate', 'NAME=bob'], /bob/],
    [['logs'], /"event":"ready"/],
    [['reload'], /revision/i],
    [['restart'], /The proxy runs/],
    [['stop'], /^The proxy \(process \d+\) has ended/],
  ];

  test.each(day)('make %j', async (args, expected) => {
    const { status, stdout, stderr } = await make(...args);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(expected);
  });

  test('fail as the command does', async () => {
    const { status, stderr } = await make('status');
    expect(status).not.toBe(0);
    expect(stderr).toContain('no proxy runs here');
  });

  test('that need a name say so, and take it as it is', async () => {
    expect(await make('link')).toMatchObject({
      stdout: '',
      stderr: expect.stringContaining('make TARGET NAME=bob') as string,
    });
    const { stderr } = await make('link', 'NAME=bob; echo oops');
    expect(stderr).toContain('there is no user named "bob; echo oops"');
  });

  test('are all listed, and all tried here', async () => {
    const targets = [...read('Makefile').matchAll(/^([a-z]+):.*## /gm)].map(([, name]) => name);
    const listed = [...(await make()).stdout.matchAll(/^ {2}make (\w+)\t/gm)].map(([, name]) => name);
    expect(listed).toEqual(targets);
    expect(targets.toSorted()).toEqual(['help', ...day.map(([[name]]) => name)].toSorted());
  });
});
