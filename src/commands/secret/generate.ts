import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { makeSecret, type Made, usage } from '../../lib/secret/make.ts';
import { saveSecret, type Saved } from '../../lib/secret/save-env.ts';
import { renderWarning } from '../../lib/ui/warning.ts';

export default class SecretGenerate extends BaseCommand {
  static override summary = 'Make a secret and print it, or write it into a .env file.';

  static override args = {
    file: Args.string({ description: 'File for --update-env; .env if not given' }),
  };

  static override flags = {
    mode: Flags.option({ options: ['ee', 'dd', 'plain'] as const, default: 'ee' })({
      summary: 'Kind of secret: ee looks like TLS, dd and plain are easier to recognise.',
    }),
    domain: Flags.string({
      summary: 'Web site that an ee secret names; cover.domain of the configuration if not given.',
      helpValue: 'DOMAIN',
    }),
    server: Flags.string({ summary: 'Print links to this server as well.', helpValue: 'HOST' }),
    port: Flags.integer({ summary: 'Port in the links; 443 if not given.', min: 1, max: 65_535 }),
    'update-env': Flags.boolean({ summary: 'Replace the secret in a .env file instead of printing one.' }),
    'env-key': Flags.string({
      summary: 'Key to write; MTG_SECRET, MTP_SECRET or SECRET, whichever the file has, if not given.',
      helpValue: 'KEY',
    }),
    show: Flags.boolean({ summary: 'Print the secret although it is written into a file.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> --domain www.example.com',
    '<%= config.bin %> <%= command.id %> --mode dd --server proxy.example.com',
    '<%= config.bin %> <%= command.id %> --update-env',
    '<%= config.bin %> <%= command.id %> --update-env prod.env --env-key PROXY_SECRET',
  ];

  async run(): Promise<Partial<Made & Saved>> {
    const { args, flags } = await this.parse(SecretGenerate);
    const { file, show } = { file: args.file, show: flags.show || !flags['update-env'] };
    if (!flags['update-env']) refuseWithout('--update-env', { FILE: file, '--env-key': flags['env-key'] });
    if (!show) refuseWithout('--show, as links hold the secret', { '--server': flags.server });
    const { configFile } = this.paths(flags);
    const made = await makeSecret(flags, async () => {
      const { loadConfig } = await import('../../lib/config/load.ts');
      return (await loadConfig({ file: configFile, env: process.env })).settings.cover.domain;
    });
    const saved = flags['update-env'] ? await saveSecret(file ?? '.env', flags['env-key'], made) : undefined;
    const warnings = [...made.warnings, ...(saved?.warnings ?? [])];
    if (saved !== undefined) this.log(describe(saved));
    if (show)
      this.log([made.secret, made.links?.tg, made.links?.https].filter((line) => line !== undefined).join('\n'));
    for (const warning of warnings) this.logToStderr(renderWarning(warning));
    return { ...(show ? made : {}), ...saved, warnings };
  }
}

function describe({ envKey, file, backup }: Saved): string {
  const written = `${file} has a new secret in ${envKey}.`;
  return backup === null ? written : `${written} The file as it was before is ${backup}.`;
}

function refuseWithout(needed: string, given: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(given)) if (value !== undefined) throw usage(`${name} needs ${needed}`);
}
