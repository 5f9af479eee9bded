import { Command, Flags } from '@oclif/core';
import os from 'node:os';
import { type Paths, resolvePaths } from '../system/paths.ts';
import type { UserFiles } from '../users/files.ts';
import { failureJson, toMtpError } from './failure.ts';

/** What every command shares: `--home`, `--json`, and errors that exit with a documented status. */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;

  static override baseFlags = {
    home: Flags.directory({
      env: 'MTP_HOME',
      helpGroup: 'GLOBAL',
      helpValue: 'DIR',
      summary: 'Keep configuration and state in this directory.',
    }),
  };

  /** Where this invocation's files are, from `--home`, `MTP_HOME`, root or the XDG directories. */
  protected paths(flags: { home?: string | undefined }): Paths & UserFiles {
    const paths = resolvePaths({
      home: flags.home,
      env: process.env,
      isRoot: process.getuid?.() === 0,
      userHome: os.homedir(),
    });
    return { ...paths, notice: (sentence) => this.logToStderr(sentence) };
  }

  /** Under `--json` the error goes to stdout as JSON; otherwise the entry point prints it. The status is the same. */
  protected override async catch(thrown: unknown): Promise<never> {
    const error = toMtpError(thrown);
    if (this.jsonEnabled()) {
      this.logJson(failureJson(error));
      this.exit(error.exit);
    }
    throw error;
  }
}
