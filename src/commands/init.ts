import { Flags } from '@oclif/core';
import { randomBytes } from 'node:crypto';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { chooseLayout, layoutFlags } from '../lib/cli/layout-flags.ts';
import { EXIT } from '../lib/errors.ts';
import { ADDRESS_URLS } from '../lib/host/outside.ts';
import { terminalAsker } from '../lib/ui/ask.ts';
import { readEnvAnswers } from '../lib/init/from-env.ts';
import { type InitResult, runInit } from '../lib/init/init.ts';
import { factLines, planLines, proofLines } from '../lib/init/screen.ts';
import { exec } from '../lib/system/exec.ts';
import { paint } from '../lib/ui/paint.ts';
import { shownStep, silentStep } from '../lib/ui/steps.ts';
import { renderWarning } from '../lib/ui/warning.ts';

const PROBE_MS = 5_000;

export default class Init extends BaseCommand {
  static override summary = 'Install the proxy on this machine: check, plan, do, and prove that it works.';
  static override description = `Everything is checked before anything is changed, and the plan is shown first. Run it again to repair or to go on;
"uninstall" takes back what it made.`;

  static override flags = {
    domain: Flags.string({
      helpValue: 'NAME',
      summary: 'Website to look like; best a domain of your own that points here.',
    }),
    borrow: Flags.boolean({ summary: 'Take a domain that does not point here; easier to block.' }),
    'cover-target': Flags.string({
      helpValue: 'PLACE',
      summary: 'Where that website answers: host:port or unix:/path.',
    }),
    user: Flags.string({ helpValue: 'NAME', summary: 'First person who may connect.' }),
    port: Flags.integer({
      helpValue: 'PORT',
      min: 1,
      max: 65_535,
      summary: 'Port to accept clients on; 443 looks most like a website.',
    }),
    server: Flags.string({ helpValue: 'HOST', summary: 'Name or address of this server in links.' }),
    'from-env': Flags.string({
      helpValue: 'FILE',
      summary: 'Take answers, settings and the secret from this .env file; flags count before it.',
    }),
    resolver: Flags.string({ helpValue: 'ADDRESS', summary: 'Name server to ask instead of the one of the system.' }),
    'address-url': Flags.string({
      multiple: true,
      default: ADDRESS_URLS,
      helpValue: 'URL',
      summary: 'Web service that answers with the address of its caller; may be given twice.',
    }),
    'dry-run': Flags.boolean({ aliases: ['plan'], summary: 'Show the plan and change nothing.' }),
    yes: Flags.boolean({ summary: 'Ask nothing.' }),
    ...layoutFlags,
  };

  static override examples = [
    'sudo <%= config.bin %> <%= command.id %>',
    'sudo <%= config.bin %> <%= command.id %> --domain cdn.example.org --cover-target 127.0.0.1:8443 --user me --yes',
    'sudo <%= config.bin %> <%= command.id %> --from-env .env --yes',
    '<%= config.bin %> <%= command.id %> --user-install --domain www.example.org --borrow --dry-run',
  ];

  async run(): Promise<InitResult> {
    const { flags } = await this.parse(Init);
    const layout = chooseLayout(flags, this.paths(flags));
    const colours = paint(process.stdout);
    const isQuiet = this.jsonEnabled() || !process.stdout.isTTY;
    const given = flags['from-env'] === undefined ? undefined : await readEnvAnswers(flags['from-env']);
    for (const note of given?.notes ?? []) this.logToStderr(renderWarning(note));
    let stopped = false;
    const stop = (): void => void (stopped = true);
    process.on('SIGINT', stop);
    const { user, borrow } = flags;
    const wishes = {
      user,
      borrow,
      domain: flags.domain ?? given?.wishes.domain,
      port: flags.port ?? given?.wishes.port,
      server: flags.server ?? given?.wishes.server,
      coverTarget: flags['cover-target'] ?? given?.wishes.coverTarget,
    };
    const result = await runInit(
      {
        wishes,
        ...(given && { given: { edits: given.edits, key: given.key } }),
        layout,
        yes: flags.yes,
        planOnly: flags['dry-run'],
        resolver: flags.resolver,
        version: this.config.version,
      },
      {
        root: layout.root,
        exec,
        env: process.env,
        isRoot: process.getuid?.() === 0,
        addressUrls: flags['address-url'],
        probe: { timeoutMs: PROBE_MS, random: randomBytes, now: Date.now },
        ask: this.jsonEnabled() ? null : terminalAsker(),
        step: isQuiet ? silentStep : shownStep,
        showFacts: (facts) => this.print(factLines(facts, colours)),
        showPlan: (plan) => this.print(planLines(plan, colours, process.stdout.columns)),
        reached: () => undefined,
        stopped: () => stopped,
      },
    ).finally(() => process.off('SIGINT', stop));
    this.print(proofLines(result.proofs, colours));
    if (result.state === 'planned') this.log('Dry run: nothing was changed.');
    if (result.state === 'declined') this.log('Nothing was changed.');
    if (result.state === 'installed') await this.sayHowToGoOn(result, isQuiet ? undefined : flags);
    if (result.proofs.some(({ ok }) => !ok)) process.exitCode = EXIT.failed;
    return result;
  }

  /** Somebody at a terminal sees the link; a log is no place for a secret. */
  private async sayHowToGoOn(
    { ms, plan }: InitResult,
    flags: { home?: string | undefined } | undefined,
  ): Promise<void> {
    const { user } = plan.answers;
    const link = `Print the link with: ${this.config.bin} link ${user}`;
    this.log(`\n Done in ${(ms / 1000).toFixed(1)} s. ${flags === undefined ? link : `The link for ${user}:`}\n`);
    if (flags === undefined) return;
    await this.config.runCommand('link', [
      user,
      '--no-qr',
      ...(flags.home === undefined ? [] : ['--home', flags.home]),
    ]);
    this.log(`\n As a QR code: ${this.config.bin} link ${user}. One more person: ${this.config.bin} secret add NAME`);
  }

  private print(lines: string[]): void {
    for (const line of lines) this.log('%s', line);
  }
}
